%% The contender in Erlang: the roles, command line, messages and figures of
%% package contender, and some that exist only for BEAMs. It is compiled inside
%% the BEAM that runs it, so it has no macros.
-module(bench).
-export([main/0, init/1, handle_call/3, handle_cast/2, sender/4, sequential/3]).

main() ->
    [Role | Args] = init:get_plain_arguments(),
    case Role of
        "serve" -> serve(), io:format("ready ~s~n", [node()]), until_eof(), halt();
        "mesh" -> io:format("ready ~s~n", [node()]), mesh(), until_eof(), halt();
        "drive" -> print(catch drive(options(Args))), halt()
    end.

until_eof() ->
    case io:get_line("") of eof -> ok; {error, _} -> ok; _ -> until_eof() end.

options(["-dynamic" | T]) -> options(T);
options([[$- | Name], Value | T]) -> (options(T))#{list_to_atom(Name) => value(Value)};
options([]) -> #{}.

value(Text) -> try list_to_integer(Text) catch error:badarg -> Text end.

get(Key, Options) -> maps:get(Key, Options, 0).

print({figures, List}) ->
    Pairs = [io_lib:format("\"~s\":~s", [Name, number(V)]) || {Name, V} <- List],
    io:format("{\"figures\":{~s}}~n", [lists:join(",", Pairs)]);
print(Other) ->
    Text = [C || C <- lists:flatten(io_lib:format("~0tp", [Other])), C >= 32, C =/= $", C =/= $\\, C < 127],
    io:format("{\"error\":\"~s\"}~n", [Text]).

number(V) when is_integer(V) -> integer_to_list(V);
number(V) -> io_lib:format("~.6f", [V]).

%% ---- the server

serve() ->
    register(sink, spawn(fun sink/0)),
    {ok, _} = gen_server:start({local, calc}, bench, [], []).

init([]) -> {ok, []}.
handle_call({add, A, B}, _From, S) -> {reply, A + B, S}.
handle_cast(_, S) -> {noreply, S}.

sink() ->
    receive
        {start, From, Kind, Receivers, Each} when Kind =:= functions; Kind =:= processes ->
            pubsub(),
            spawn(fun() -> crowd(From, Receivers, Each) end);
        {start, From, Kind, Receivers, Each} ->
            Pids = [spawn(fun() -> receiver(Kind, From, Each) end) || _ <- lists:seq(1, Receivers)],
            From ! {ready, Pids};
        {collect, From} ->
            [erlang:garbage_collect(P) || P <- processes()],
            From ! {collected, erlang:memory(total)}
    end,
    sink().

receiver(echo, _, _) -> echo();
receiver(tuple, From, Each) -> tuples(From, Each, 0, 0);
receiver(binary, From, Each) -> binaries(From, Each, 0, 0).

echo() ->
    receive
        {ping, From, N} -> From ! {pong, N}, echo();
        stop -> ok
    end.

tuples(From, Each, Each, Sum) -> From ! {done, Each, Sum};
tuples(From, Each, Count, Sum) ->
    receive {reading, N, on} -> tuples(From, Each, Count + 1, Sum + N)
    after 5000 -> From ! {done, Count, Sum}
    end.

binaries(From, Each, Each, Sum) -> From ! {done, Each, Sum};
binaries(From, Each, Count, Sum) ->
    receive
        B when is_binary(B) ->
            <<First:32, _/binary>> = B,
            binaries(From, Each, Count + 1, Sum + First + binary:last(B))
    after 5000 -> From ! {done, Count, Sum}
    end.

%% ---- the driver

drive(#{scenario := "send"} = O) ->
    #{payload := Payload, senders := Senders, count := Count} = O,
    Peer = connect(O),
    Warm = get(warmup, O) div Senders,
    Payloads = payloads(get(size, O)),
    _ = Warm > 0 andalso flow(Peer, Payload, Payloads, Senders, Warm),
    Each = max(1, Count div Senders),
    {Micros, ok} = timer:tc(fun() -> flow(Peer, Payload, Payloads, Senders, Each) end),
    rates(Each * Senders, Micros, get(size, O));
drive(#{scenario := "rtt"} = O) ->
    Peer = connect(O),
    [Echo] = start(Peer, echo, 1, 0),
    trips(O, fun() -> fun() -> ping(Echo) end end);
drive(#{scenario := "call"} = O) ->
    Peer = connect(O),
    trips(O, fun() -> fun() -> 3 = gen_server:call({calc, Peer}, {add, 1, 2}) end end);
drive(#{scenario := "erpc"} = O) ->
    Peer = connect(O),
    trips(O, fun() -> fun() -> 3 = erpc:call(Peer, erlang, '+', [1, 2]) end end);
drive(#{scenario := "mixed", size := Size, count := Count} = O) ->
    Peer = connect(O),
    [Echo] = start(Peer, echo, 1, 0),
    [ping(Echo) || _ <- lists:seq(1, 50)],
    Payloads = payloads(Size),
    Warm = get(warmup, O),
    _ = Warm > 0 andalso beside(Peer, Payloads, Warm, Echo),
    Start = now_us(),
    Took = beside(Peer, Payloads, Count, Echo),
    {figures, Rates} = rates(Count, now_us() - Start, Size),
    {figures, [{trips, length(Took)} | latencies(Took)] ++ Rates};
drive(#{scenario := "broadcast", subs := Subs, count := Count} = O) ->
    Peers = [connect(O#{peer := Peer}) || Peer <- string:lexemes(maps:get(peer, O, ""), ",")],
    pubsub(),
    Subscribers = max(1, length(Peers)) * Subs,
    _ = broadcasts(Peers, Subs, max(1, get(warmup, O)), Subscribers),
    Micros = broadcasts(Peers, Subs, Count, Subscribers),
    {figures, [_ | Rates]} = rates(Count * Subscribers, Micros, 0),
    {figures, [{count, Count} | Rates]};
drive(#{scenario := "encode"} = O) ->
    Term = binary_to_term(realistic()),
    codec(O, fun() -> term_to_binary(Term) end);
drive(#{scenario := "decode"} = O) ->
    Binary = realistic(),
    codec(O, fun() -> binary_to_term(Binary) end);
drive(#{scenario := "idle-process", count := Count}) ->
    garbage_collect(),
    Before = {erlang:memory(processes), rss()},
    Pids = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, Count)],
    timer:sleep(200),
    {InUse, Rss} = {erlang:memory(processes) - element(1, Before), rss() - element(2, Before)},
    [P ! stop || P <- Pids],
    {figures, [{count, Count}, {inuse_bytes_each, InUse / Count}] ++ [{rss_bytes_each, Rss / Count} || Rss > 0]}.

connect(#{peer := Peer}) ->
    Node = list_to_atom(Peer),
    true = net_kernel:connect_node(Node),
    Node.

start(Peer, Kind, Receivers, Each) ->
    {sink, Peer} ! {start, self(), Kind, Receivers, Each},
    receive {ready, Pids} -> Pids after 20000 -> throw("the server does not answer") end.

%% One flow of messages: ok once the receivers have confirmed all of them.
flow(Peer, Payload, Payloads, Senders, Each) ->
    Pids = start(Peer, list_to_atom(Payload), Senders, Each),
    [spawn_link(bench, sender, [Payload, Payloads, Pid, Each]) || Pid <- Pids],
    Got = [receive {done, C, S} -> {C, S} end || _ <- Pids],
    Counts = lists:sum([C || {C, _} <- Got]),
    Sums = lists:sum([S || {_, S} <- Got]),
    Want = Senders * expected(Payload, Payloads, Each),
    if
        Counts < Senders * Each ->
            throw(lists:flatten(io_lib:format("lost ~p of ~p messages", [Senders * Each - Counts, Senders * Each])));
        Sums =/= Want -> throw("the messages that came are not those that were sent");
        true -> ok
    end.

sender("tuple", _, To, Each) -> send_tuples(To, 0, Each);
sender("binary", Payloads, To, Each) -> send_binaries(To, Payloads, 0, Each).

send_tuples(_, Each, Each) -> ok;
send_tuples(To, N, Each) -> To ! {reading, N, on}, send_tuples(To, N + 1, Each).

send_binaries(_, _, Each, Each) -> ok;
send_binaries(To, Payloads, N, Each) ->
    To ! element(N rem 16 + 1, Payloads),
    send_binaries(To, Payloads, N + 1, Each).

%% They are made before the clock starts: filling 16 MB takes longer than sending.
payloads(Size) when Size < 8 -> payloads(8);
payloads(Size) ->
    Fill = binary:copy(<<7>>, Size - 5),
    list_to_tuple([<<(K * 2654435761):32, Fill/binary, K>> || K <- lists:seq(0, 15)]).

expected("tuple", _, Each) -> Each * (Each - 1) div 2;
expected("binary", Payloads, Each) ->
    Sums = [binary:decode_unsigned(binary:part(B, 0, 4)) + binary:last(B) || B <- tuple_to_list(Payloads)],
    Left = lists:sum(lists:sublist(Sums, Each rem 16)),
    lists:sum(Sums) * (Each div 16) + Left.

ping(Echo) ->
    N = erlang:unique_integer([positive]),
    Echo ! {ping, self(), N},
    receive {pong, N} -> ok after 20000 -> throw("a ping was lost") end.

%% Round trips while so many payloads are streamed.
beside(Peer, Payloads, Count, Echo) ->
    Self = self(),
    spawn_link(fun() -> ok = flow(Peer, "binary", Payloads, 1, Count), Self ! streamed end),
    until_streamed(Echo, []).

until_streamed(Echo, Took) ->
    Start = now_us(),
    ping(Echo),
    More = [now_us() - Start | Took],
    receive streamed -> More after 0 -> until_streamed(Echo, More) end.

%% Every caller is a process; it makes a trip by itself.
trips(#{senders := Callers, count := Count} = O, Caller) ->
    Each = max(1, Count div Callers),
    _ = together(Callers, max(1, get(warmup, O) div Callers), Caller),
    {Micros, Took} = timer:tc(fun() -> together(Callers, Each, Caller) end),
    {figures, Rates} = rates(Each * Callers, Micros, 0),
    {figures, latencies(Took) ++ Rates}.

%% One caller is the calling process itself: a trip's answer goes to who asks.
together(1, Each, Caller) -> sequential(Caller(), Each, []);
together(Callers, Each, Caller) ->
    Self = self(),
    Pids = [spawn_link(fun() -> Self ! {self(), sequential(Caller(), Each, [])} end) || _ <- lists:seq(1, Callers)],
    lists:append([receive {Pid, Took} -> Took end || Pid <- Pids]).

sequential(_, 0, Took) -> Took;
sequential(Trip, Each, Took) ->
    Start = now_ns(),
    Trip(),
    sequential(Trip, Each - 1, [(now_ns() - Start) / 1000 | Took]).

latencies(Took) ->
    Sorted = list_to_tuple(lists:sort(Took)),
    At = fun(P) -> element(max(1, (tuple_size(Sorted) * P + 99) div 100), Sorted) end,
    [{p50_us, At(50)}, {p99_us, At(99)}].

rates(Count, Micros, Size) ->
    Rate = Count * 1.0e6 / Micros,
    {figures, [{count, Count}, {seconds, Micros / 1.0e6}, {rate, Rate}] ++
        [{mb_per_s, Rate * Size / 1.0e6} || Size > 0]}.

now_us() -> erlang:monotonic_time(microsecond).
now_ns() -> erlang:monotonic_time(nanosecond).

%% ---- Phoenix.PubSub's shape: what Registry.dispatch does for a registry of
%% duplicate keys, and the adapter PG2, of which each node has a process in a group
%% of pg that forwards to the subscribers of its own node.

pubsub() ->
    Self = self(),
    case whereis(adapter) of
        undefined -> spawn(fun() -> adapter(Self) end), receive adapter -> ok end;
        _ -> ok
    end.

adapter(Starter) ->
    register(adapter, self()),
    ets:new(subscriptions, [named_table, public, duplicate_bag, {read_concurrency, true}, {write_concurrency, true}]),
    {ok, _} = pg:start(pubsub),
    ok = pg:join(pubsub, adapter, self()),
    Starter ! adapter,
    adapter().

adapter() ->
    receive {forward_to_local, Topic, Message, _} -> dispatch(Topic, Message) end,
    adapter().

remote() -> [P || P <- pg:get_members(pubsub, adapter), node(P) =/= node()].

broadcast(Topic, Message) ->
    Forward = {forward_to_local, Topic, Message, 'Elixir.Phoenix.PubSub'},
    [P ! Forward || P <- remote()],
    dispatch(Topic, Message).

dispatch(Topic, Message) ->
    Entries = try ets:lookup_element(subscriptions, Topic, 2) catch error:badarg -> [] end,
    lists:foreach(fun({Pid, _}) -> Pid ! Message end, Entries).

%% The subscribers of one node. Each adds what it has got when it has got
%% everything; the last one ends the run. See crowd.go.
crowd(From, Subs, Each) ->
    Self = self(),
    Totals = atomics:new(3, []),
    atomics:put(Totals, 1, Subs),
    Pids = [spawn(fun() -> subscriber(Self, Totals, Each, 0, 0) end) || _ <- lists:seq(1, Subs)],
    [ets:insert(subscriptions, {<<"bench">>, {P, nil}}) || P <- Pids],
    From ! {ready, [Self]},
    receive complete -> ok after 20000 -> ok end,
    From ! {done, atomics:get(Totals, 2), atomics:get(Totals, 3)},
    receive stop -> ok end,
    ets:delete(subscriptions, <<"bench">>),
    [P ! stop || P <- Pids],
    From ! {done, 0, 0}.

subscriber(Crowd, Totals, Each, Each, Sum) ->
    atomics:add(Totals, 2, Each),
    atomics:add(Totals, 3, Sum),
    case atomics:sub_get(Totals, 1, 1) of 0 -> Crowd ! complete; _ -> ok end,
    receive stop -> ok end;
subscriber(Crowd, Totals, Each, Count, Sum) ->
    receive {reading, N, on} -> subscriber(Crowd, Totals, Each, Count + 1, Sum + N) end.

%% Microseconds for so many broadcasts; subscribing and its end are not in them.
broadcasts(Peers, Subs, Each, Subscribers) ->
    case Peers of
        [] -> Self = self(), spawn(fun() -> crowd(Self, Subs, Each) end);
        _ -> [{sink, P} ! {start, self(), processes, Subs, Each} || P <- Peers]
    end,
    Crowds = [receive {ready, [C]} -> C after 20000 -> throw("no answer") end || _ <- lists:seq(1, max(1, length(Peers)))],
    reachable(length(Peers), 1000),
    Start = now_us(),
    publish(0, Each),
    Got = [receive {done, C, S} -> {C, S} end || _ <- Crowds],
    Micros = now_us() - Start,
    [C ! stop || C <- Crowds],
    [receive {done, 0, 0} -> ok end || _ <- Crowds],
    Lost = Subscribers * Each - lists:sum([C || {C, _} <- Got]),
    Sum = lists:sum([S || {_, S} <- Got]),
    if
        Lost > 0 -> throw(lists:flatten(io_lib:format("lost ~p of ~p messages", [Lost, Subscribers * Each])));
        Sum =/= Subscribers * (Each * (Each - 1) div 2) -> throw("the messages that came are not those that were sent");
        true -> Micros
    end.

publish(Each, Each) -> ok;
publish(N, Each) -> broadcast(<<"bench">>, {reading, N, on}), publish(N + 1, Each).

reachable(Nodes, Tries) ->
    case length(remote()) of
        Nodes -> ok;
        Other when Tries =:= 0 -> throw(lists:flatten(io_lib:format("broadcasts would reach ~p nodes of ~p", [Other, Nodes])));
        _ -> timer:sleep(10), reachable(Nodes, Tries - 1)
    end.

%% ---- without a server

realistic() -> base64:decode(os:getenv("BENCH_TERM")).

%% In a process of its own with a heap of its own, as a busy process has.
codec(#{count := Count} = O, Fun) ->
    Self = self(),
    spawn_link(fun() ->
        times(Fun, max(1, get(warmup, O))),
        {Micros, ok} = timer:tc(fun() -> times(Fun, Count) end),
        Self ! {took, Micros}
    end),
    receive {took, Micros} -> rates(Count, Micros, 0) end.

times(_, 0) -> ok;
times(Fun, N) -> Fun(), times(Fun, N - 1).

%% Bytes of memory the kernel says this BEAM has; 0 where there is no /proc (a
%% chroot).
rss() ->
    case file:read_file("/proc/self/statm") of
        {ok, Text} ->
            [_, Pages | _] = binary:split(Text, <<" ">>, [global]),
            binary_to_integer(Pages) * 4096;
        _ -> 0
    end.

%% ---- full mesh of BEAMs: "go TOTAL NODE..." connects to the nodes given, and
%% prints when this node sees all but itself.

mesh() ->
    ["go", Total | Nodes] = string:lexemes(io:get_line(""), " \n"),
    net_kernel:monitor_nodes(true),
    [spawn(fun() -> net_kernel:connect_node(list_to_atom(N)) end) || N <- Nodes],
    formed(list_to_integer(Total) - 1),
    io:format("formed~n").

formed(Want) ->
    case length(nodes()) of
        Want -> ok;
        _ -> receive {nodeup, _} -> ok; {nodedown, _} -> ok after 1000 -> ok end, formed(Want)
    end.
