%% What a BEAM of TestCitizens is asked, in the words and the formats of
%% citizen_program_test.go.
-module(citizen).
-export([start/2, question/1]).

%% start starts pg scopes, and keeps the node connected to its peers as discovery
%% would: every second it dials those it lacks.
start(Peers, Scopes) ->
    [{ok, _} = pg:start(S) || S <- Scopes],
    [spawn(fun() -> dial(P) end) || P <- Peers],
    register(citizen_trace, spawn(fun() -> trace() end)),
    ok.

%% trace keeps the last that global_name_server has received, for reports.
trace() ->
    erlang:trace(whereis(global_name_server), true, ['receive', timestamp]),
    trace(queue:new(), 0).

trace(Q, N) when N > 300 -> trace(queue:drop(Q), N - 1);
trace(Q, N) ->
    receive
        {all, To} -> To ! {trace, queue:to_list(Q)}, trace(Q, N);
        {trace_ts, _, 'receive', Message, At} -> trace(queue:in({At, Message}, Q), N + 1);
        _ -> trace(Q, N)
    end.

traced() ->
    citizen_trace ! {all, self()},
    receive {trace, All} -> [[stamp(At), io_lib:format(" ~0tp~n", [M])] || {At, M} <- All] end.

stamp({_, _, Micro} = At) ->
    {_, {H, M, S}} = calendar:now_to_universal_time(At),
    io_lib:format("~2..0b:~2..0b:~2..0b.~6..0b", [H, M, S, Micro]).

dial(Peer) ->
    net_kernel:connect_node(Peer),
    timer:sleep(1000),
    dial(Peer).

question(Words) -> lists:flatten(ask(Words)).

ask([nodes]) -> words(nodes());
ask([hidden]) -> words(nodes(hidden));
ask([names]) ->
    lists:join(" ", lists:sort([[atom_to_list(N), "=", pid(global:whereis_name(N))] || N <- global:registered_names()]));
ask([dead]) ->
    Alive = fun(P) -> try is_process_alive(P) catch error:badarg -> false end end,
    words([N || N <- global:registered_names(), P <- [global:whereis_name(N)], is_pid(P), node(P) =:= node(), not Alive(P)]);
ask([locks]) -> [io_lib:format("~0p", [L]) || L <- ets:tab2list(global_locks)];
ask([disconnect, Peer]) -> word(erlang:disconnect_node(Peer));
ask([sync]) -> word(global:sync());
ask([register, Name, Method]) -> registered(fun(P) -> global:register_name(Name, P, method(Method)) end);
ask([reregister, Name, Method]) -> registered(fun(P) -> global:re_register_name(Name, P, method(Method)) end);
ask([unregister, Name]) -> global:unregister_name(Name), "ok";
ask([kill_name, Name]) -> die([P || P <- [global:whereis_name(Name)], is_pid(P), node(P) =:= node()]);
ask([lock, Resource, Retries, Ms]) ->
    Id = {Resource, self()},
    Nodes = [node() | nodes()],
    case global:set_lock(Id, Nodes, Retries) of
        true -> timer:sleep(Ms), global:del_lock(Id, Nodes), "true";
        false -> "false"
    end;
ask([join, Scope, Group]) -> word(pg:join(Scope, Group, idle()));
ask([leave, Scope, Group]) ->
    case pg:get_local_members(Scope, Group) of
        [] -> "nobody";
        [P | _] -> word(pg:leave(Scope, Group, P))
    end;
ask([die, Scope, Group]) -> die(pg:get_local_members(Scope, Group));
ask([groups, Scope]) -> groups(Scope, pg:which_groups(Scope), fun pg:get_members/2);
ask([local, Scope]) -> groups(Scope, pg:which_local_groups(Scope), fun pg:get_local_members/2);
ask([state]) ->
    {_, Dictionary} = erlang:process_info(whereis(global_name_server), dictionary),
    io_lib:format("~0tp~n~0tp~n~0tp~n~ts", [sys:get_state(global_name_server), Dictionary, ets:tab2list(global_locks), traced()]).

registered(How) ->
    P = idle(),
    case How(P) of
        yes -> "yes";
        no -> exit(P, kill), "no"
    end.

method(exit) -> fun global:random_exit_name/3;
method(notify) -> fun global:random_notify_name/3;
method(all) -> fun global:notify_all_name/3.

idle() -> spawn(fun Loop() -> receive _ -> Loop() end end).

die([]) -> "nobody";
die([P | _]) -> exit(P, kill), "ok".

groups(Scope, Groups, Members) ->
    lists:join(" ", lists:sort([
        [atom_to_list(G), "=", lists:join(",", lists:sort([lists:flatten(pid(P)) || P <- Members(Scope, G)]))]
     || G <- Groups
    ])).

words(Atoms) -> lists:join(" ", lists:sort([atom_to_list(A) || A <- Atoms])).

word(Atom) -> atom_to_list(Atom).

%% pid is a pid as all nodes print it.
pid(P) when is_pid(P) ->
    <<131, 88, 119, L, Node:L/binary, Id:32, Serial:32, Creation:32>> = term_to_binary(P, [{minor_version, 2}]),
    io_lib:format("~s/~p.~p.~p", [Node, Id, Serial, Creation]);
pid(undefined) -> "undefined".
