%% What a BEAM machine runs: expressions, not a module, so that nothing has to be
%% compiled. It does what truss node does on the other machines: looks the query
%% up, with OTP's own inet_res, and connects, as dns_cluster does; prints its
%% events; has a process echo; is part of a PubSub, as Phoenix's adapter is; and
%% leaves when its standard input ends.

%% Here and not as -setcookie: command lines can be read by every user.
true = erlang:set_cookie(list_to_atom(os:getenv("TRUSS_COOKIE"))),

Query = os:getenv("TRUSS_PLAY_QUERY"),
{ok, Address} = inet:parse_address(os:getenv("TRUSS_PLAY_DNS_ADDRESS")),
Port = list_to_integer(os:getenv("TRUSS_PLAY_DNS_PORT")),
Interval = list_to_integer(os:getenv("TRUSS_PLAY_DNS_INTERVAL")),

%% An Erlang string is one of JSON, as long as it is ASCII, and our names are.
Quote = fun(Text) -> io_lib:write_string(lists:flatten(Text)) end,
Say = fun(Event, Node, Key, Value) ->
    io:format("{\"event\":\"~s\",\"node\":~s,\"~s\":~s}~n", [Event, Quote(atom_to_list(Node)), Key, Quote(Value)])
end,

Echo = fun Echo() ->
    receive
        {'$gen_call', From, Request} -> gen_server:reply(From, Request);
        {Pid, Term} when is_pid(Pid) -> Pid ! Term;
        _ -> ok
    end,
    Echo()
end,

%% The group and the process that Phoenix.PubSub.PG2 has, and the process by which
%% truss node is asked to broadcast. A term is printed as bytes: as text it would be
%% another one than Go prints.
Scope = 'Elixir.Phoenix.PubSub',
Broadcaster = list_to_atom("Elixir." ++ os:getenv("TRUSS_PLAY_PUBSUB")),
Adapter = list_to_atom(atom_to_list(Broadcaster) ++ ".Adapter"),
Hear = fun Hear() ->
    receive
        {forward_to_local, Topic, Message, _} ->
            io:format("{\"event\":\"message\",\"topic\":~s,\"etf\":\"~s\"}~n",
                [Quote(binary_to_list(Topic)), base64:encode(term_to_binary(Message))]);
        _ -> ok
    end,
    Hear()
end,
Broadcast = fun Broadcast() ->
    receive
        {'$gen_call', From, nodes} ->
            gen_server:reply(From, [node(Pid) || Pid <- pg:get_members(Scope, Adapter), node(Pid) =/= node()]);
        {'$gen_call', From, {broadcast, Topic, Message}} ->
            [{Adapter, node(Pid)} ! {forward_to_local, Topic, Message, Scope} || Pid <- pg:get_members(Scope, Adapter)],
            gen_server:reply(From, ok);
        _ -> ok
    end,
    Broadcast()
end,

[Base, _] = string:split(atom_to_list(node()), "@"),
Discover = fun Discover() ->
    Addresses = inet_res:lookup(Query, in, a, [{nameservers, [{Address, Port}]}]),
    Peers = [list_to_atom(Base ++ "@" ++ inet:ntoa(A)) || A <- Addresses],
    [spawn(net_kernel, connect_node, [Peer]) || Peer <- Peers -- [node() | nodes()]],
    timer:sleep(Interval),
    Discover()
end,

Watch = fun Watch(Input) ->
    receive
        {nodeup, Node, _} -> Say("nodeup", Node, "reason", "");
        {nodedown, Node, Info} ->
            Say("nodedown", Node, "reason", io_lib:format("~0p", [proplists:get_value(nodedown_reason, Info)]));
        {Input, eof} -> init:stop();
        _ -> ok
    end,
    Watch(Input)
end,

Main = fun() ->
    ok = net_kernel:monitor_nodes(true, [nodedown_reason]),
    register(echo, spawn_link(Echo)),
    {ok, _} = pg:start_link(Scope),
    Hearing = spawn_link(Hear),
    register(Adapter, Hearing),
    ok = pg:join(Scope, Adapter, Hearing),
    register(Broadcaster, spawn_link(Broadcast)),
    Input = open_port({fd, 0, 0}, [in, eof, binary]),
    Say("ready", node(), "otp", erlang:system_info(otp_release)),
    spawn_link(Discover),
    Watch(Input)
end,

spawn(fun() ->
    try Main()
    catch Class:Reason:Stack ->
        io:format(standard_error, "~p:~p ~p~n", [Class, Reason, Stack]),
        halt(1)
    end
end).
