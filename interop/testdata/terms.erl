%% The terms that are sent to Go and back. interop loads this module into each
%% BEAM, so that they are made, and compared, by that BEAM itself.
-module(terms).
-export([all/0, count/0, echo/2, kinds/0]).

%% echo sends every term through Echo, a process that answers {From, T} with T,
%% and returns [] or what came back changed.
echo(Echo, Terms) ->
    lists:append([echo_one(Echo, Name, T) || {Name, T} <- Terms]).

echo_one(Echo, Name, Term) ->
    Echo ! {self(), Term},
    receive
        Term2 when Term2 =:= Term -> [];
        Other -> [{Name, sent, Term, got, Other}]
    after 20000 -> exit({no_echo_of, Name, Term})
    end.

count() -> length(all()).

%% all is every kind on its own, and inside each container.
all() ->
    Kinds = kinds() ++ random(200),
    Kinds
        ++ [{{tuple, N}, {T, T}} || {N, T} <- Kinds]
        ++ [{{list, N}, [T, a, T]} || {N, T} <- Kinds]
        ++ [{{improper, N}, [T | T]} || {N, T} <- Kinds]
        ++ [{{map, N}, #{T => T, k => [T]}} || {N, T} <- Kinds]
        ++ [{everything, [T || {_, T} <- Kinds]}, {everything_tuple, list_to_tuple([T || {_, T} <- Kinds])}].

kinds() ->
    lists:append([integers(), floats(), atoms(), lists_(), binaries(), tuples(), maps_(),
                  identifiers(), funs(), records()]).

named(Kind, Terms) -> lists:zip([{Kind, I} || I <- lists:seq(1, length(Terms))], Terms).

integers() ->
    Borders = [0, 1, 127, 128, 255, 256, 65535, 65536]
        ++ lists:append([[(1 bsl B) - 1, 1 bsl B, (1 bsl B) + 1] || B <- [27, 28, 31, 32, 59, 60, 62, 63, 64, 65]])
        %% SMALL_BIG_EXT ends at 255 bytes of digits.
        ++ [(1 bsl (255 * 8)) - 1, 1 bsl (255 * 8), 1 bsl 20000],
    named(integer, Borders ++ [-I || I <- Borders, I =/= 0]).

floats() ->
    <<Least/float>> = <<1:64>>,
    <<Most/float>> = <<16#7FEFFFFFFFFFFFFF:64>>,
    named(float, [0.0, -0.0, 1.0, -1.5, 0.1, 3.141592653589793, 1.0e300, 1.0e-300, Least, Most, -Most,
                  2.2250738585072014e-308, 9007199254740993.0]).

atoms() ->
    named(atom, ['', a, 'A b', true, false, nil, undefined, ok, 'Elixir.Enum', 'é', 'ÿ',
                 list_to_atom([16#20AC]), list_to_atom([16#1F600]),
                 list_to_atom(lists:duplicate(255, $x)),
                 list_to_atom(lists:duplicate(255, 16#E9)),
                 list_to_atom(lists:duplicate(255, 16#1F600)),
                 'with \'quotes\' and \\', '\n', '\0'])
    %% More than the 255 that fit one header, and slots that collide.
    ++ [{many_atoms, [list_to_atom("atom_" ++ integer_to_list(I)) || I <- lists:seq(1, 700)]}].

lists_() ->
    named(list, [[], [1], "hello", [0, 255], [0, 256], [-1], lists:seq(0, 255),
                 lists:duplicate(65535, $a), lists:duplicate(65536, $a), lists:seq(1, 1000),
                 [[]], [[[[]]]], [a | b], [1, 2 | 3], [1 | <<"tail">>], [[a | b] | c], [1.0, a, "s", <<>>],
                 "åäö", [16#1F600]])
    ++ [{deep_list, lists:foldl(fun(_, L) -> [L] end, [], lists:seq(1, 5000))}].

binaries() ->
    named(binary, [<<>>, <<0>>, <<255>>, <<"hello">>, <<"é"/utf8>>, <<0:(63 * 8)>>, <<0:(64 * 8)>>, <<0:(65 * 8)>>,
                   binary:copy(<<"0123456789">>, 7000), binary:part(<<"0123456789">>, 3, 4)])
    ++ named(bitstring, [<<1:1>>, <<0:1>>, <<5:3>>, <<127:7>>, <<1, 1:1>>, <<"abc", 3:2>>, <<0:1001>>]).

tuples() ->
    named(tuple, [{}, {a}, {1, 2}, {{}}, {{{a}, b}, c}, list_to_tuple(lists:seq(1, 255)),
                  list_to_tuple(lists:seq(1, 256)), erlang:make_tuple(1000, x), {'DOWN', a, b, c, d}]).

maps_() ->
    named(map, [#{}, #{a => 1}, #{1 => a, 1.0 => b}, #{[] => {}, {} => [], #{} => #{}}, #{<<"k">> => "v", "k" => <<"v">>},
                maps:from_list([{I, I * I} || I <- lists:seq(1, 32)]),
                maps:from_list([{I, I * I} || I <- lists:seq(1, 33)]),
                maps:from_list([{{key, I}, [I]} || I <- lists:seq(1, 2000)]),
                #{'__struct__' => 'Elixir.Date', year => 2026, month => 11, day => 23}]).

identifiers() ->
    Node = 'other@10.1.2.3',
    Foreign = [atom_ext(Node)],
    External = [
        binary_to_term(iolist_to_binary([131, 88, Foreign, <<I:32, S:32, C:32>>]))
        || {I, S, C} <- [{0, 0, 0}, {1, 2, 3}, {16#7FFF, 16#1FFF, 16#FFFFFFFF}, {16#FFFFFFFF, 16#FFFFFFFF, 4}]],
    Refs = [
        binary_to_term(iolist_to_binary([131, 90, <<N:16>>, Foreign, <<7:32>>, [<<W:32>> || W <- lists:seq(1, N)]]))
        || N <- [1, 2, 3, 4, 5]],
    Ports = [
        binary_to_term(iolist_to_binary([131, 120, Foreign, <<I:64, 9:32>>]))
        || I <- [0, 1, 16#FFFFFFF, 16#10000000, 16#FFFFFFFFFFFFFFFF]],
    named(pid, [self(), whereis(init), whereis(net_kernel) | External])
        ++ named(reference, [make_ref(), alias(), monitor(process, init) | Refs])
        ++ named(port, erlang:ports() ++ Ports).

atom_ext(A) ->
    Text = atom_to_binary(A),
    [119, byte_size(Text), Text].

funs() ->
    X = 17,
    Y = <<"captured">>,
    named('fun', [fun lists:map/2, fun no_such_module:no_such_function/255, fun '':''/0,
                  fun count/0, fun() -> ok end, fun(Z) -> Z + X end, fun(_, _) -> {X, Y, self()} end,
                  fun Rec(0) -> X; Rec(N) -> Rec(N - 1) end]).

%% records are native records (OTP 29), here those of no module that exists.
records() ->
    Record = fun(Flags, Module, Name, Fields) ->
        iolist_to_binary([131, 67, <<(length(Fields)):32, Flags>>, atom_ext(Module), atom_ext(Name),
                          [atom_ext(F) || {F, _} <- Fields],
                          [binary:part(B, 1, byte_size(B) - 1) || {_, V} <- Fields, B <- [term_to_binary(V)]]])
    end,
    case list_to_integer(erlang:system_info(otp_release)) >= 29 of
        true ->
            named(record, [binary_to_term(Record(F, shop, item, Fs))
                           || F <- [0, 1], Fs <- [[], [{price, 1}], [{b, "x"}, {a, {1, 2.0}}]]]);
        false -> []
    end.

%% random is a fixed sequence of nested terms.
random(Count) ->
    S0 = rand:seed_s(exsss, {2026, 11, 23}),
    {Terms, _} = lists:mapfoldl(fun(_, S) -> random_term(4, S) end, S0, lists:seq(1, Count)),
    named(random, Terms).

random_term(Depth, S0) ->
    Kinds = case Depth of 0 -> 6; _ -> 10 end,
    {Kind, S1} = rand:uniform_s(Kinds, S0),
    random_term(Kind, Depth, S1).

random_term(1, _, S0) ->
    {Bits, S1} = rand:uniform_s(80, S0),
    {I, S2} = rand:uniform_s(1 bsl Bits, S1),
    {I - (1 bsl (Bits - 1)), S2};
random_term(2, _, S0) ->
    {F, S1} = rand:uniform_s(S0),
    {(F - 0.5) * 1.0e10, S1};
random_term(3, _, S0) ->
    {I, S1} = rand:uniform_s(300, S0),
    {list_to_atom("r" ++ integer_to_list(I)), S1};
random_term(4, _, S0) ->
    {N, S1} = rand:uniform_s(100, S0),
    {<<N:N>>, S1};
random_term(5, _, S0) ->
    {N, S1} = rand:uniform_s(40, S0),
    {binary:copy(<<"b">>, N), S1};
random_term(6, _, S0) ->
    {N, S1} = rand:uniform_s(20, S0),
    {lists:seq($a, $a + N), S1};
random_term(Kind, Depth, S0) ->
    {N, S1} = rand:uniform_s(6, S0),
    {Terms, S2} = lists:mapfoldl(fun(_, S) -> random_term(Depth - 1, S) end, S1, lists:seq(1, N)),
    {case Kind of
        7 -> Terms;
        8 -> list_to_tuple(Terms);
        9 -> maps:from_list(lists:zip(Terms, lists:reverse(Terms)));
        10 -> lists:foldl(fun(T, Tail) -> [T | Tail] end, tail, Terms)
     end, S2}.
