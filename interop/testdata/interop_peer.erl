%% The BEAM's side of the interop tests: a gen_server for Go to call, an echo,
%% and what counts connections.
-module(interop_peer).
-behaviour(gen_server).
-export([start_calc/0, start_echo/0, start_judge/0, dist_sockets/1, start_collectors/0, collected/1, send_bigs/4, eval/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

start_calc() -> gen_server:start({local, calc}, interop_peer, 0, []).

init(Total) -> {ok, Total}.

handle_call({add, N}, _From, Total) -> {reply, Total + N, Total + N};
handle_call({echo, T}, _From, Total) -> {reply, T, Total};
handle_call(who, {Pid, _Tag}, Total) -> {reply, node(Pid), Total};
handle_call(os_pid, _From, Total) -> {reply, list_to_integer(os:getpid()), Total};
handle_call(never, _From, Total) -> {noreply, Total};
handle_call({stop, Reason}, _From, Total) -> {stop, Reason, Total};
handle_call({reply_and_stop, Reason}, _From, Total) -> {stop, Reason, bye, Total}.

handle_cast({add, N}, Total) -> {noreply, Total + N}.

handle_info({tell, Pid, T}, Total) -> Pid ! T, {noreply, Total};
handle_info(_, Total) -> {noreply, Total}.

%% start_echo sends T to Pid for {Pid, T}.
start_echo() ->
    Pid = spawn(fun Loop() -> receive {To, T} -> To ! T, Loop() end end),
    true = register(echo, Pid),
    ok.

%% start_judge is an echo that also compares: for {Pid, Text, T} it sends Pid what
%% it has seen wrong, or ok.
start_judge() ->
    Pid = spawn(fun Loop() -> receive {To, Text, T} -> To ! judge(Text, T), Loop() end end),
    true = register(judge, Pid),
    ok.

judge(Text, Term) ->
    try eval(Text) of
        Same when Same =:= Term -> ok;
        Other -> {differs, iolist_to_binary(io_lib:format("~0tp =/= ~0tp", [Other, Term]))}
    catch
        _:Problem -> {no_erlang, iolist_to_binary(io_lib:format("~0tp", [Problem]))}
    end.

%% eval is what an Erlang expression means.
eval(Text) ->
    {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list([Text, "."])),
    {ok, Exprs} = erl_parse:parse_exprs(Tokens),
    {value, Value, _} = erl_eval:exprs(Exprs, []),
    Value.

%% dist_sockets counts the TCP connections of this BEAM other than those with
%% the ports given (epmd's): with one peer, those of distribution.
dist_sockets(Except) ->
    length([P || P <- erlang:ports(), erlang:port_info(P, name) =:= {name, "tcp_inet"},
                 {ok, {_, Port}} <- [inet:peername(P)], not lists:member(Port, Except)]).

%% start_collectors registers big and small, which tell collector what arrives at
%% them, and when: in the order of its mailbox.
start_collectors() ->
    Collector = spawn(fun() -> collect([]) end),
    true = register(collector, Collector),
    [true = register(Name, spawn(fun Loop() ->
        receive
            {big, I, Binary} ->
                Collector ! {big, I},
                big(I, byte_size(Binary)) =:= Binary orelse (Collector ! {broken, I});
            Small -> Collector ! Small
        end,
        Loop()
     end)) || Name <- [big, small]],
    ok.

collect(Seen) ->
    receive
        {collected, Pid, Count} when length(Seen) >= Count -> Pid ! lists:reverse(Seen);
        M when element(1, M) =/= collected -> collect([M | Seen])
    end.

%% collected returns what has arrived once it is so much.
collected(Count) ->
    collector ! {collected, self(), Count},
    receive Seen -> Seen end.

%% send_bigs sends big at Node Count binaries of Size, each between two small
%% messages of the same sender; while one is on its way another process sends
%% small at Node 100 messages.
send_bigs(Node, Count, Size, Small) ->
    Other = spawn_link(fun Loop() ->
        receive I -> [{small, Node} ! {small, I, J} || J <- lists:seq(1, Small)] end,
        Loop()
    end),
    Bigs = [{I, big(I, Size)} || I <- lists:seq(1, Count)],
    [begin
        {big, Node} ! {before, I},
        Other ! I,
        {big, Node} ! {big, I, Big},
        {big, Node} ! {'after', I}
     end || {I, Big} <- Bigs],
    ok.

%% big is Size bytes that differ from one N to the next and repeat at no divisor
%% of a fragment's size.
big(N, Size) ->
    Piece = << <<(I * 7 + N):32>> || I <- lists:seq(1, 999) >>,
    binary:part(binary:copy(Piece, Size div byte_size(Piece) + 1), 0, Size).
