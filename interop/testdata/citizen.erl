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

%% trace keeps the last that global_name_server has received, for reports, and what
%% has become of each name here: see fate.
trace() ->
    %% Only what is needed, not the state that all have as an argument: two BEAMs that
    %% start their session over and over do so thousands of times a second.
    Say = fun(Arguments, Said) -> [{Arguments, [], [{message, Said}]}] end,
    [
        1 = erlang:trace_pattern({global, F, A}, Spec, [local])
     || {F, A, Spec} <- [
            {insert_lock, 4, Say(['$1', '$2', '_', '_'], ['$1', '$2'])},
            {remove_lock, 6, Say(['$1', '_', '$2', '_', '_', '_'], ['$1', '$2'])},
            {handle_call, 3,
                Say([{register, '$1', '_', '_'}, '$2', '_'], ['$1', '$2']) ++
                    Say([{unregister, '$1'}, '$2', '_'], ['$1', '$2'])},
            {insert_global_name, 6, Say(['$1', '$2', '_', '$3', '_', '_'], ['$1', '$2', '$3'])},
            {lock_still_set, 3, [{'_', [], [{message, false}, {return_trace}]}]},
            {delete_global_name2, 2, Say(['$1', '_'], ['$1'])},
            {handle_info, 2, [{[{'DOWN', '_', process, '$1', noconnection}, '_'], [], [{message, ['$1']}]}]},
            {handle_nodedown, 3, Say(['$1', '_', '_'], ['$1'])},
            %% known is the third element of the state
            {resolved, 5, Say(['$1', '_', '$2', '_', '$3'], ['$1', '$2', {element, 3, '$3'}])},
            {new_nodes, 6, Say(['$1', '$2', '_', '$3', '_', '$4'], ['$1', '$2', '$3', {element, 3, '$4'}])},
            {handle_cast, 2, [{[{in_sync, '$1', '_'}, '$2'], [{'not', {is_map_key, '$1', {element, 3, '$2'}}}], [{message, ['$1']}]}]},
            {restart_connect, 3, [{['$1', '_', '$2'], [{is_map_key, '$1', {element, 3, '$2'}}], [{message, ['$1']}, {return_trace}]}]},
            {delete_node_resources, 2, Say(['$1', '_'], ['$1'])}
        ]
    ],
    erlang:trace(whereis(global_name_server), true, ['receive', call, arity, timestamp]),
    Holders = [P || {global, _, Pids} <- ets:tab2list(global_locks), {P, _} <- Pids],
    trace(queue:new(), 0, #{holders => Holders, unlocked => #{}, met => #{}}).

trace(Q, N, Fates) when N > 300 -> trace(queue:drop(Q), N - 1, Fates);
trace(Q, N, Fates) ->
    receive
        {all, To} -> To ! {trace, queue:to_list(Q)}, trace(Q, N, Fates);
        {fates, To} -> To ! {fates, Fates}, trace(Q, N, Fates);
        agreed -> trace(Q, N, Fates#{unlocked := #{}, met := #{}});
        {trace_ts, _, 'receive', {system, _, get_state}, _} -> trace(Q, N, Fates); % ask asks
        {trace_ts, _, 'receive', Message, At} -> trace(queue:in({At, Message}, Q), N + 1, Fates);
        {trace_ts, _, call, {global, Function, _}, Args, _} -> trace(Q, N, fate(Function, Args, Fates));
        {trace_ts, _, return_from, {global, Function, _}, Result, _} -> trace(Q, N, fate(Function, Result, Fates));
        _ -> trace(Q, N, Fates)
    end.

%% fate follows what global_name_server does to a name: it is there, deleted, or has
%% been lost in one of three ways that are OTP's own:
%%
%%   {dropped, Node}    a registrar or name server of Node told of it without having the
%%                      lock here, so that it was inserted and deleted at once
%%   {forgotten, Node}  a session with Node, of which this node knows already, was
%%                      started over, and all names of Node's processes went with that
%%   {untold, Node}     the connection to the process was lost, and when Node told of its
%%                      node again, it did not tell of the name
%%
%% And a registrar of another node may have written a name without having the lock here:
%% that is unlocked, until all have agreed again. met is what has become since then of nodes
%% that this one was told of: told, parted when the connection was lost, and unmet when such
%% a one said all the same that it is in sync, which is taken for the end of the new session.
fate(insert_lock, [{global, _}, Pid], #{holders := Holders} = Fates) ->
    Fates#{holders := [Pid | Holders]};
fate(remove_lock, [global, Pid], #{holders := Holders} = Fates) ->
    Fates#{holders := lists:delete(Pid, Holders)};
fate(handle_call, [Name, {Pid, _Tag}], #{holders := Holders, unlocked := Unlocked} = Fates) ->
    case lists:member(Pid, Holders) of
        true -> Fates;
        false -> Fates#{unlocked := Unlocked#{Name => node(Pid)}}
    end;
fate(insert_global_name, [Name, Pid, From], Fates) ->
    Fates#{Name => {Pid, there}, inserting => {Name, {Pid, From}}};
fate(lock_still_set, false, #{inserting := {Name, {Pid, From}}} = Fates) ->
    Node = case is_pid(From) of true -> node(From); false -> From end,
    Fates#{Name := {Pid, {dropped, Node}}};
fate(restart_connect, [Node], Fates) -> Fates#{restarting => Node};
fate(delete_node_resources, [Node], #{restarting := Node} = Fates) ->
    maps:map(
        fun
            (_Name, {Pid, there}) when node(Pid) =:= Node -> {Pid, {forgotten, Node}};
            (_Name, Fate) -> Fate
        end,
        Fates
    );
fate(restart_connect, _State, Fates) -> maps:remove(restarting, Fates);
fate(handle_info, [Pid], Fates) -> Fates#{parting => Pid};
fate(handle_nodedown, [Node], #{met := Met} = Fates) ->
    case Met of
        #{Node := Now} when Now =/= unmet -> Fates#{met := Met#{Node := parted}};
        #{} -> Fates#{met := maps:remove(Node, Met)}
    end;
fate(handle_cast, [Node], #{met := Met} = Fates) ->
    case Met of
        #{Node := parted} -> Fates#{met := Met#{Node := unmet}};
        #{} -> Fates
    end;
fate(resolved, [Node, HisKnown, Known], Fates) ->
    told(new([Node | HisKnown], Known), Fates);
fate(new_nodes, [Operations, By, Nodes, Known], Fates) ->
    New = new(Nodes, Known),
    Told = [Name || {insert, {Name, _, _}} <- Operations],
    maps:map(
        fun
            (Name, {Pid, parted} = Fate) ->
                case lists:member(node(Pid), New) andalso not lists:member(Name, Told) of
                    true -> {Pid, {untold, By}};
                    false -> Fate
                end;
            (_Name, Fate) -> Fate
        end,
        told(New, Fates)
    );
fate(delete_global_name2, [Name], Fates) ->
    case Fates of
        #{Name := {Pid, there}, parting := Pid} -> Fates#{Name := {Pid, parted}};
        #{Name := {Pid, there}} -> Fates#{Name := {Pid, deleted}};
        #{} -> Fates
    end;
fate(_, _, Fates) -> Fates.

%% new is those of a message's nodes that were not known.
new(Nodes, Known) ->
    Named = [case N of {Node, _Version} -> Node; Node -> Node end || N <- Nodes],
    [N || N <- Named, not is_map_key(N, Known)].

told(Nodes, #{met := Met} = Fates) -> Fates#{met := maps:merge(Met, maps:from_keys(Nodes, told))}.

traced() ->
    citizen_trace ! {all, self()},
    receive {trace, All} -> [[stamp(At), io_lib:format(" ~0tp~n", [M])] || {At, M} <- All] end.

fates() ->
    citizen_trace ! {fates, self()},
    receive {fates, Fates} -> Fates end.

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
ask([lost]) -> lists:join(" ", [[atom_to_list(N), "=", pid(P), "=", atom_to_list(How), "=", atom_to_list(By)] || {N, {P, {How, By}}} <- maps:to_list(fates()), is_pid(P)]);
ask([unmet]) ->
    State = sys:get_state(global_name_server),
    words([N || {N, unmet} <- maps:to_list(maps:get(met, fates())), not is_map_key(N, element(3, State)), lists:member(N, element(4, State))]);
ask([unlocked]) -> lists:join(" ", [[atom_to_list(N), "=", atom_to_list(By)] || {N, By} <- maps:to_list(maps:get(unlocked, fates()))]);
ask([agreed]) -> citizen_trace ! agreed, "ok";
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
