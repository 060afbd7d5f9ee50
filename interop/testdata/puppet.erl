%% Puppets of a BEAM, as internal/puppet describes them: the Host in Erlang.
%% What goes in and out is external terms in base64, so that pids of any node
%% travel beside distribution, not over it.
-module(puppet).
-export([start/0, spawn/1, do/1, flush/2, take/0, clear/0]).

start() ->
    {Pid, Ref} = spawn_monitor(fun() ->
        register(puppets, self()),
        serve(#{live => #{}, refs => #{}, events => [], count => 0})
    end),
    call(ready),
    demonitor(Ref, [flush]),
    is_pid(Pid).

spawn(Ids) -> call({spawn, unpack(Ids)}).
do(Work) -> call({do, unpack(Work)}).
flush(Number, Peers) -> call({flush, Number, Peers}).
take() -> call(take).
clear() -> call(clear).

unpack(Text) -> binary_to_term(base64:decode(Text)).
pack(Term) -> binary_to_list(base64:encode(term_to_binary(Term))).

call(Request) ->
    case whereis(puppets) of
        undefined when Request =:= ready -> erlang:yield(), call(Request);
        Server ->
            Ref = monitor(process, Server),
            Server ! {call, self(), Ref, Request},
            receive
                {Ref, Reply} -> demonitor(Ref, [flush]), Reply;
                {'DOWN', Ref, process, _, Reason} -> exit(Reason)
            end
    end.

serve(State) ->
    receive
        {call, From, Ref, Request} ->
            {Reply, State1} = handle(Request, State),
            From ! {Ref, Reply},
            serve(State1);
        {event, Id, Event} -> serve(event(Id, Event, State));
        {'DOWN', Ref, process, _, Reason} -> serve(ended(Ref, Reason, State))
    end.

handle(ready, State) -> {ok, State};
handle({spawn, Ids}, #{live := Live, refs := Refs} = State) ->
    New = [{Id, spawn_monitor(fun() -> puppet(Id, #{}) end)} || Id <- Ids],
    Live1 = lists:foldl(fun({Id, {Pid, _}}, L) -> L#{Id => Pid} end, Live, New),
    Refs1 = lists:foldl(fun({Id, {_, Ref}}, R) -> R#{Ref => Id} end, Refs, New),
    {pack([{Id, Pid} || {Id, {Pid, _}} <- New]), State#{live := Live1, refs := Refs1}};
handle({do, Work}, #{live := Live} = State) ->
    Busy = [begin maps:get(Id, Live) ! {do, Ops}, Id end || {Id, Ops} <- Work, is_map_key(Id, Live)],
    {ok, await(done, maps:from_keys(Busy, true), State)};
handle({flush, Number, Peers}, State) ->
    dialled(),
    [{puppets, Peer} ! {marker, Number, node()} || Peer <- Peers],
    [receive {marker, Number, Peer} -> ok after 20000 -> exit({no_marker, Number, Peer}) end || Peer <- Peers],
    State1 = sync(State),
    {maps:get(count, State1), State1};
handle(take, State) ->
    #{events := Events, live := Live} = State1 = sync(State),
    Kept = [{Id, E} || {Id, E} <- lists:reverse(Events), is_map_key(Id, Live) orelse element(1, E) =:= ended],
    {pack(Kept), State1#{events := []}};
handle(clear, #{live := Live} = State) ->
    [exit(Pid, kill) || Pid <- maps:values(Live)],
    State1 = await(never, maps:map(fun(_, _) -> true end, Live), State),
    {ok, State1#{events := []}}.

%% Waits until no connection is being made any more: a link to a process of a node
%% that is not connected is only answered then. What has asked for one has told
%% net_kernel, so it has the request before ours.
dialled() ->
    _ = sys:get_state(net_kernel),
    case [C || C <- ets:tab2list(sys_dist), element(4, C) =/= up] of
        [] -> ok;
        _ -> receive after 1 -> dialled() end
    end.

sync(#{live := Live} = State) ->
    [Pid ! sync || Pid <- maps:values(Live)],
    await(synced, maps:map(fun(_, _) -> true end, Live), State).

%% Waits until each of these puppets has answered, or has ended.
await(_, Busy, State) when map_size(Busy) =:= 0 -> State;
await(Answer, Busy, #{refs := Refs} = State) ->
    receive
        {Answer, Id} -> await(Answer, maps:remove(Id, Busy), State);
        {event, Id, Event} -> await(Answer, Busy, event(Id, Event, State));
        {'DOWN', Ref, process, _, Reason} ->
            await(Answer, maps:remove(maps:get(Ref, Refs), Busy), ended(Ref, Reason, State))
    end.

event(Id, Event, #{events := Events, count := Count} = State) ->
    State#{events := [{Id, Event} | Events], count := Count + 1}.

ended(Ref, Reason, #{refs := Refs, live := Live} = State) ->
    #{Ref := Id} = Refs,
    event(Id, {ended, Reason}, State#{refs := maps:remove(Ref, Refs), live := maps:remove(Id, Live)}).

%% Monitors is Label => Ref and Ref => Label.
puppet(Id, Monitors) ->
    receive
        {do, Ops} ->
            Monitors1 = lists:foldl(fun(Op, M) -> act(Op, Id, M) end, Monitors, Ops),
            puppets ! {done, Id},
            puppet(Id, Monitors1);
        sync ->
            puppets ! {synced, Id},
            puppet(Id, Monitors);
        Message ->
            puppets ! {event, Id, event_of(Message, Monitors)},
            puppet(Id, Monitors)
    end.

act({link, To, _, _}, _, M) ->
    %% For a local process that does not exist, and a caller that does not trap
    %% exits, link/1 raises the error instead of the exit signal.
    try link(To) catch error:noproc -> exit(noproc) end,
    M;
act({unlink, To, _, _}, _, M) -> unlink(To), M;
act({monitor, To, Label, _}, _, M) ->
    Ref = monitor(process, To),
    M#{Label => Ref, Ref => Label};
act({demonitor, _, Label, _}, _, M) -> demonitor(maps:get(Label, M), [flush]), M;
act({exit, To, _, Reason}, _, M) -> exit(To, Reason), M;
act({send, To, _, Message}, Id, M) -> To ! {Id, Message}, M;
act({trap, _, _, _}, _, M) -> process_flag(trap_exit, true), M;
act({untrap, _, _, _}, _, M) -> process_flag(trap_exit, false), M;
act({stop, _, _, Reason}, _, _) -> exit(Reason);
act({register, _, Name, _}, _, M) -> register(binary_to_atom(Name), self()), M;
act({unregister, _, Name, _}, _, M) -> unregister(binary_to_atom(Name)), M.

event_of({'EXIT', From, Reason}, _) -> {exit, From, Reason};
event_of({'DOWN', Ref, process, Object, Reason}, M) -> {down, Object, maps:get(Ref, M, <<"none">>), Reason};
event_of({From, Message}, _) -> {message, From, Message}.
