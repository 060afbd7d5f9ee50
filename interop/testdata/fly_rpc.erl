%% What is Fly.RPC on the wire, for tests: the two questions to each node that comes
%% up, the table of regions, and calls by erpc.
-module('Elixir.Fly.RPC').
-export([start/0, my_region/0, region_nodes/1, rpc_region/2]).

my_region() -> list_to_binary(os:getenv("FLY_REGION", "local")).

start() ->
    Parent = self(),
    spawn(fun() ->
        register('Elixir.Fly.RPC', self()),
        ok = net_kernel:monitor_nodes(true),
        Parent ! started,
        loop(maps:from_list([{N, ask(N)} || N <- nodes()]))
    end),
    receive started -> ok end.

loop(Regions) ->
    receive
        {nodeup, Node} -> loop(Regions#{Node => ask(Node)});
        {nodedown, Node} -> loop(maps:remove(Node, Regions));
        {get, From} -> From ! {regions, Regions}, loop(Regions)
    end.

ask(Node) ->
    try erpc:call(Node, 'Elixir.Kernel', 'function_exported?', ['Elixir.Fly.RPC', my_region, 0], 5000) of
        true -> erpc:call(Node, 'Elixir.Fly.RPC', my_region, [], 5000);
        false -> none
    catch _:_ -> none
    end.

region_nodes(Region) ->
    'Elixir.Fly.RPC' ! {get, self()},
    receive {regions, Regions} -> [N || {N, R} <- maps:to_list(Regions), R =:= Region] end.

rpc_region(primary, MFA) -> rpc_region(list_to_binary(os:getenv("PRIMARY_REGION", "local")), MFA);
rpc_region(Region, {M, F, A}) ->
    case {my_region(), region_nodes(Region)} of
        {Region, _} -> apply(M, F, A);
        {_, []} -> error(badarg);
        {_, [Node | _]} -> erpc:call(Node, M, F, A, 5000)
    end.
