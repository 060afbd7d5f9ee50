%% The agent: an Erlang expression list (not a module) that erl_eval runs inside
%% the node under test. It serves the harness over descriptors 3 (requests) and
%% 4 (replies), each frame behind a 32-bit length:
%%
%%   request  Id:32 Op:8 Process:32 Text   Op: $e Erlang, $x Elixir, $k give up Id
%%   reply    Id:32 Status:8 Text          Status: $o value, $e error, $h hello
%%
%% Process 0 is a fresh process for this one request. Any other number is a
%% process that keeps its variables and mailbox from request to request.

Erlang = fun(Text, Bindings) ->
    Tokens = case erl_scan:string(unicode:characters_to_list(Text)) of
        {ok, Ts, _} -> Ts;
        {error, {_, Scan, What}, Line} ->
            throw({not_erlang, io_lib:format("~tp: ~ts", [Line, Scan:format_error(What)])})
    end,
    Exprs = case erl_parse:parse_exprs(Tokens) of
        {ok, Es} -> Es;
        {error, {At, Parse, Why}} ->
            throw({not_erlang, io_lib:format("~tp: ~ts", [At, Parse:format_error(Why)])})
    end,
    {value, Value, After} = erl_eval:exprs(Exprs, Bindings),
    {io_lib:format("~0tp", [Value]), After}
end,

Elixir = fun(Text, Bindings) ->
    {Value, After} = 'Elixir.Code':eval_string(Text, Bindings),
    {'Elixir.Kernel':inspect(Value, [{limit, infinity}, {printable_limit, infinity}]), After}
end,

%% The frames of erl_eval and of the agent say nothing about what went wrong.
Trim = fun(Module, _, _) -> lists:member(Module, [erl_eval, 'Elixir.Code', elixir]) end,

Run = fun(Op, Text, Bindings) ->
    try
        case Op of
            $e -> Erlang(Text, Bindings);
            $x -> Elixir(Text, Bindings)
        end
    of
        {Printed, After} -> {$o, Printed, After}
    catch
        throw:{not_erlang, Problem} -> {$e, ["not Erlang: ", Problem], Bindings};
        Class:Reason:Stack when Op =:= $x ->
            {$e, 'Elixir.Exception':format(Class, Reason, Stack), Bindings};
        Class:Reason:Stack ->
            {$e, erl_error:format_exception(Class, Reason, Stack, #{stack_trim_fun => Trim}), Bindings}
    end
end,

Worker = fun Work(Agent, Bindings) ->
    receive
        {'$truss_eval', Id, Op, Process, Text} ->
            {Status, Printed, After} = Run(Op, Text, Bindings),
            Agent ! {done, self(), <<Id:32, Status, (unicode:characters_to_binary(Printed))/binary>>},
            case Process of
                0 -> ok;
                _ -> Work(Agent, After)
            end
    end
end,

%% Kept is Process => Pid, Pending is Pid => Id of the request it works on.
Serve = fun Serve(Port, Kept, Pending) ->
    receive
        {Port, {data, <<Id:32, $k, _/binary>>}} ->
            [exit(Pid, kill) || {Pid, I} <- maps:to_list(Pending), I =:= Id],
            Serve(Port, Kept, Pending);
        {Port, {data, <<Id:32, Op, Process:32, Text/binary>>}} ->
            Agent = self(),
            Pid = case Kept of
                #{Process := P} -> P;
                #{} -> element(1, spawn_monitor(fun() -> Worker(Agent, []) end))
            end,
            Pid ! {'$truss_eval', Id, Op, Process, Text},
            Kept1 = case Process of 0 -> Kept; _ -> Kept#{Process => Pid} end,
            Serve(Port, Kept1, Pending#{Pid => Id});
        {Port, eof} ->
            erlang:halt(0, [{flush, false}]);
        {done, Pid, Reply} ->
            port_command(Port, Reply),
            Serve(Port, Kept, maps:remove(Pid, Pending));
        {'DOWN', _, process, Pid, Reason} ->
            case Pending of
                #{Pid := Id} ->
                    Gone = unicode:characters_to_binary(io_lib:format("the evaluating process ended: ~0tp", [Reason])),
                    port_command(Port, <<Id:32, $e, Gone/binary>>);
                #{} -> ok
            end,
            Serve(Port, maps:filter(fun(_, P) -> P =/= Pid end, Kept), maps:remove(Pid, Pending))
    end
end,

spawn(fun() ->
    process_flag(priority, high),
    Port = open_port({fd, 3, 4}, [{packet, 4}, binary, eof]),
    port_command(Port, <<0:32, $h, (atom_to_binary(node()))/binary>>),
    Serve(Port, #{}, #{})
end).
