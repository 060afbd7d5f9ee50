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
    Self = self(),
    Payloads = payloads(Size),
    Start = now_us(),
    spawn_link(fun() -> ok = flow(Peer, "binary", Payloads, 1, Count), Self ! streamed end),
    Took = mixed(Echo, []),
    {figures, Rates} = rates(Count, now_us() - Start, Size),
    {figures, [{trips, length(Took)} | latencies(Took)] ++ Rates};
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

mixed(Echo, Took) ->
    Start = now_us(),
    ping(Echo),
    More = [now_us() - Start | Took],
    receive streamed -> More after 0 -> mixed(Echo, More) end.

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
