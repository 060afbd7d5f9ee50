%% A PubSub of the tests' own that keeps to the wire forms of Phoenix.PubSub 2's
%% adapter PG2: a worker for each group of the pool, {forward_to_local, Topic,
%% Message, Dispatcher}, Dispatcher:dispatch(Entries, From, Message) for the topic's
%% entries {Pid, Metadata}. Phoenix's own two dispatchers are here as well: the
%% default one sends, that of channels insists on a Broadcast. A custom one is this
%% module.
-module(pubsub_peer).
-export([start/2, subscribe/3, broadcast/4, direct/4, collect/1, collect/2, dispatch/3, workers/0]).

%% The scope is started without links, as nothing here supervises.
start(Adapter, PoolSize) ->
    case pg:start('Elixir.Phoenix.PubSub') of
        {ok, _} -> ok;
        {error, {already_started, _}} -> ok
    end,
    Owner = spawn(fun() -> ets:new(pubsub_peer, [named_table, public, bag]), receive stop -> ok end end),
    wait(fun() -> ets:info(pubsub_peer) =/= undefined end),
    ets:insert(pubsub_peer, {owner, Owner}),
    [worker(group(Adapter, N)) || N <- lists:seq(1, PoolSize)],
    ok.

wait(Done) ->
    case Done() of
        true -> ok;
        false -> timer:sleep(1), wait(Done)
    end.

group(Adapter, 1) -> Adapter;
group(Adapter, N) -> list_to_atom(atom_to_list(Adapter) ++ "_" ++ integer_to_list(N)).

worker(Group) ->
    Pid = spawn(fun() -> loop() end),
    register(Group, Pid),
    ets:insert(pubsub_peer, {worker, Pid}),
    ok = pg:join('Elixir.Phoenix.PubSub', Group, Pid).

workers() -> [is_process_alive(Pid) || {worker, Pid} <- ets:lookup(pubsub_peer, worker)].

%% What Phoenix's worker does with a message: anything that goes wrong ends it.
loop() ->
    receive
        {forward_to_local, Topic, Message, Dispatcher} when is_binary(Topic), is_atom(Dispatcher) ->
            case ets:lookup(pubsub_peer, Topic) of
                [] -> ok;
                Entries -> ok = dispatcher(Dispatcher, [{Pid, Meta} || {_, {Pid, Meta}} <- Entries], none, Message)
            end,
            loop()
    end.

dispatcher('Elixir.Phoenix.PubSub', Entries, _, Message) ->
    [Pid ! Message || {Pid, _} <- Entries], ok;
dispatcher('Elixir.Phoenix.Channel.Server', Entries, _, #{'__struct__' := 'Elixir.Phoenix.Socket.Broadcast',
        topic := Topic, event := Event, payload := #{}} = Message) when is_binary(Topic), is_binary(Event), map_size(Message) =:= 4 ->
    [Pid ! {fastlane, Message} || {Pid, _} <- Entries], ok;
dispatcher(Module, Entries, From, Message) -> Module:dispatch(Entries, From, Message).

%% The custom dispatcher pubsub_peer: to those with metadata admin.
dispatch(Entries, _From, Message) -> [Pid ! {admin, Message} || {Pid, admin} <- Entries], ok.

%% A subscriber that keeps what it gets, for collect.
subscribe(Name, Topic, Metadata) ->
    Pid = case whereis(Name) of
        undefined -> P = spawn(fun() -> keep([]) end), register(Name, P), P;
        P -> P
    end,
    ets:insert(pubsub_peer, {Topic, {Pid, Metadata}}),
    ok.

keep(Got) ->
    receive
        {size, From} -> From ! {size, length(Got)}, keep(Got);
        {collect, From} -> From ! {got, lists:reverse(Got)}, keep([]);
        Message -> keep([Message | Got])
    end.

collect(Name) ->
    Name ! {collect, self()},
    receive {got, Got} -> Got end.

%% Broadcasts to the other nodes through one group, as the adapter does.
broadcast(Group, Topic, Message, Dispatcher) ->
    [Pid ! {forward_to_local, Topic, Message, Dispatcher}
        || Pid <- pg:get_members('Elixir.Phoenix.PubSub', Group), node(Pid) =/= node()],
    ok.

direct(Group, Node, Topic, Message) ->
    {Group, Node} ! {forward_to_local, Topic, Message, 'Elixir.Phoenix.PubSub'},
    ok.

%% The same, once there are N.
collect(Name, N) ->
    wait(fun() -> Name ! {size, self()}, receive {size, Size} -> Size >= N end end),
    collect(Name).
