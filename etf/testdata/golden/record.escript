%%! -noshell
%% Prints what term_to_binary, binary_to_term, < and =:= of this OTP do.
%% See README.md beside this file for the format and the command.

main(_) ->
    io:setopts([{encoding, latin1}]),
    [line(["T", Name, Expect, hex(cut(Name, encode(T)))]) || {Name, Expect, T} <- terms()],
    [line(["B", Name, hex(B), accepted(B)]) || {Name, B} <- bytes()],
    Pool = pool(),
    [line(["C", hex(encode(A)), [sign(A, B) || B <- Pool], [same(A, B) || B <- Pool]]) || A <- Pool].

line(Columns) -> io:put_chars([lists:join($\t, Columns), $\n]).
hex(B) -> [io_lib:format("~2.16.0b", [X]) || <<X>> <= B].
%% minor_version 2: atoms as UTF-8 on every release, as on a connection.
encode(T) -> term_to_binary(T, [{minor_version, 2}]).
%% Of a term named "head ..." only the first bytes are kept.
cut("head " ++ _, B) -> binary:part(B, 0, 12);
cut(_, B) -> B.
release() -> list_to_integer(erlang:system_info(otp_release)).

accepted(B) ->
    try hex(encode(binary_to_term(B))) catch error:badarg -> "badarg" end.

sign(A, B) when A < B -> $<;
sign(A, B) when A == B -> $=;
sign(_, _) -> $>.

same(A, B) when A =:= B -> $1;
same(_, _) -> $0.

%% ---- terms whose bytes are canonical -------------------------------------

terms() ->
    ints() ++ floats() ++ atoms() ++ binaries() ++ lists_() ++ others() ++ records().

ints() ->
    Edges = [0, 1, 255, 256, 1 bsl 27, 1 bsl 28, 1 bsl 31, 1 bsl 32, 1 bsl 40, 1 bsl 48, 1 bsl 56,
             1 bsl 59, 1 bsl 60, 1 bsl 63, 1 bsl 64, 1 bsl 65, 1 bsl 128, 1 bsl (8 * 255), 1 bsl (8 * 256)],
    All = lists:usort([S * (E + D) || E <- Edges, D <- [-1, 0, 1], S <- [1, -1]]),
    [{"int", integer_to_list(I), I} || I <- All].

floats() ->
    Bits = [16#0, 16#8000000000000000, 16#3ff0000000000000, 16#bff8000000000000, 16#1, 16#800fffffffffffff,
            16#0010000000000000, 16#7fefffffffffffff, 16#ffefffffffffffff, 16#400921fb54442d18, 16#4340000000000000],
    [begin <<F/float>> = <<B:64>>, {"float", hex(<<B:64>>), F} end || B <- Bits].

atoms() ->
    Texts = [[], "a", "ok", "Elixir.MyApp", "hello world", "with'quote", [0], [233], [255], [8364], [1078, 1091, 1082],
             [26085, 26412], [128512], [16#10ffff], lists:duplicate(255, $x), lists:duplicate(254, 233),
             lists:duplicate(127, 233), lists:duplicate(128, 233), lists:duplicate(255, 128512)],
    [{"atom", hex(unicode:characters_to_binary(T)), list_to_atom(T)} || T <- Texts].

binaries() ->
    [{"binary", hex(B), B} || B <- [<<>>, <<0>>, <<"hello">>, <<255, 254>>, binary:copy(<<"ab">>, 500)]] ++
    [{"bits " ++ integer_to_list(N), "", <<16#b5b5:N>>} || N <- [1, 2, 3, 4, 5, 6, 7, 9, 15]].

lists_() ->
    [{"list []", "", []},
     {"list bytes", "", [1, 2, 255]},
     {"list 256", "", [1, 256]},
     {"list hello", "", "hello"},
     {"head list 65535", "", lists:duplicate(65535, 7)},
     {"head list 65536", "", lists:duplicate(65536, 7)},
     {"list mixed", "", [1, a, 2.0, <<"b">>, [], {}]},
     {"list nested", "", [[[]], [[1], 2], "x"]},
     {"improper", "", [a | b]},
     {"improper 2", "", [1, 2 | 3]},
     {"improper nested", "", [[1 | 2], [3] | {4}]},
     {"alias tag", "", [alias | ref(5)]},
     {"deep list", "", deep(2000, fun(T) -> [T] end)},
     {"deep tuple", "", deep(2000, fun(T) -> {T} end)},
     {"deep improper", "", deep(2000, fun(T) -> [T | x] end)},
     {"tuple 0", "", {}},
     {"tuple 1", "", {1}},
     {"tuple 255", "", list_to_tuple(lists:seq(1, 255))},
     {"tuple 256", "", list_to_tuple(lists:seq(1, 256))}].

deep(0, _) -> bottom;
deep(N, Wrap) -> Wrap(deep(N - 1, Wrap)).

others() ->
    [{"map 0", "", #{}},
     {"map 1", "", #{a => 1}},
     {"map keys", "", #{a => 1, <<"a">> => 2, "a" => 3, 1 => 4, 1.0 => 5, {a} => 6, #{b => 1} => 7}},
     {"map 32", "", maps:from_list([{I, I * I} || I <- lists:seq(1, 32)])},
     {"map 33", "", maps:from_list([{I, I * I} || I <- lists:seq(1, 33)])},
     {"map 1000", "", maps:from_list([{integer_to_binary(I), I} || I <- lists:seq(1, 1000)])},
     {"map nested", "", #{a => #{b => #{c => [#{}]}}}},
     {"pid", "", pid(1, 2, 3)},
     {"pid max", "", pid(16#fffffff, 16#ffffffff, 16#ffffffff)},
     {"pid local", "", self()},
     {"ref 1", "", ref(1)}, {"ref 2", "", ref(2)}, {"ref 3", "", ref(3)}, {"ref 4", "", ref(4)}, {"ref 5", "", ref(5)},
     {"ref local", "", make_ref()},
     {"ref alias", "", alias()},
     {"port small", "", port(5)},
     {"port large", "", port(1 bsl 40)},
     {"export", "", fun lists:map/2},
     {"export 255", "", fun m:f/255},
     {"fun compiled", "", compiled_fun(0)},
     {"fun with free", "", compiled_fun({free, [1, 2], <<"x">>, self()})},
     {"fun in list", "", [compiled_fun(0), compiled_fun(compiled_fun(1))]},
     {"fun eval", "", eval_fun()}].

pid(Id, Serial, Creation) -> b2t(<<88, (node_())/binary, Id:32, Serial:32, Creation:32>>).
port(Id) -> b2t(<<120, (node_())/binary, Id:64, 7:32>>).
ref(N) -> b2t(<<90, N:16, (node_())/binary, 7:32, (<< <<I:32>> || I <- lists:seq(1, N)>>)/binary>>).
node_() -> <<119, 5, "a@b.c">>.
b2t(B) -> binary_to_term(<<131, B/binary>>).

compiled_fun(Free) ->
    Source = ["-module(golden).", "-export([make/1]).", "make(X) -> fun(Y, Z) -> {X, Y, Z} end."],
    Forms = [begin {ok, Ts, _} = erl_scan:string(S), {ok, F} = erl_parse:parse_form(Ts), F end || S <- Source],
    {ok, golden, Code} = compile:forms(Forms, [deterministic]),
    case erlang:function_exported(golden, make, 1) of
        true -> ok;
        false -> {module, golden} = code:load_binary(golden, "golden.beam", Code)
    end,
    golden:make(Free).

eval_fun() ->
    {ok, Ts, _} = erl_scan:string("fun(X) -> X + Y end."),
    {ok, Es} = erl_parse:parse_exprs(Ts),
    {value, F, _} = erl_eval:exprs(Es, [{'Y', 300}]),
    F.

records() ->
    case release() >= 29 of
        true -> [{"record " ++ N, "", R} || {N, R} <- some_records()];
        false -> []
    end.

some_records() ->
    [{"0", record(0, m, r, [])}, {"1", record(0, m, r, [{a, 1}])}, {"exported", record(1, m, r, [{a, 1}])},
     {"order", record(0, m, r, [{b, 1}, {a, [x]}])}, {"nested", record(1, m, r, [{a, record(0, m, q, [{a, 1.5}])}])}].

record(Flag, M, N, Fields) ->
    b2t(iolist_to_binary([<<67, (length(Fields)):32, Flag>>, raw(M), raw(N), [raw(F) || {F, _} <- Fields],
                          [raw(V) || {_, V} <- Fields]])).
raw(T) -> <<131, B/binary>> = encode(T), B.

%% ---- bytes that OTP does not write, and what it says to them --------------

bytes() ->
    Text = fun(S) -> <<131, 99, S/binary, 0:(8 * (31 - byte_size(S)))>> end,
    Pid = <<88, (node_())/binary, 1:32, 2:32, 3:32>>,
    Fun = fun(OldIndex, Free, P, Vars) ->
        B = <<1, 7:128, 2:32, Free:32, 119, 1, $m, OldIndex/binary, 97, 1, P/binary, Vars/binary>>,
        <<131, 112, (byte_size(B) + 4):32, B/binary>> end,
    Pack = fun(T) -> term_to_binary(T, [{compressed, 9}]) end,
    [{"latin1", <<131, 100, 2:16, 233, 97>>}, {"latin1 small", <<131, 115, 2, 233, 97>>}, {"latin1 empty", <<131, 115, 0>>},
     {"latin1 255", <<131, 100, 255:16, (binary:copy(<<233>>, 255))/binary>>},
     {"latin1 256", <<131, 100, 256:16, (binary:copy(<<97>>, 256))/binary>>},
     {"utf8 256", <<131, 118, 256:16, (binary:copy(<<97>>, 256))/binary>>},
     {"utf8 255 wide", <<131, 118, 1020:16, (binary:copy(<<128512/utf8>>, 255))/binary>>},
     {"utf8 256 wide", <<131, 118, 1024:16, (binary:copy(<<128512/utf8>>, 256))/binary>>},
     {"utf8 long form", <<131, 118, 1:16, 97>>},
     {"utf8 overlong", <<131, 119, 2, 16#c0, 16#80>>}, {"utf8 surrogate", <<131, 119, 3, 16#ed, 16#a0, 16#80>>},
     {"utf8 above", <<131, 119, 4, 16#f4, 16#90, 16#80, 16#80>>}, {"utf8 cut", <<131, 119, 1, 16#c3>>},
     {"utf8 nonchar", <<131, 119, 3, 16#ef, 16#bf, 16#bf>>},
     {"atom ref", <<131, 82, 0>>}, {"old fun", <<131, 117, 0:32>>}, {"local ext", <<131, 121, 0:64, 97, 1>>},
     {"unknown tag", <<131, 1>>}, {"no version", <<97, 1>>}, {"empty", <<131>>}, {"nested version", <<131, 104, 1, 131, 97, 1>>},
     {"list n0 tail", <<131, 108, 0:32, 97, 1>>}, {"list n0 nil", <<131, 108, 0:32, 106>>},
     {"list n0 twice", <<131, 108, 0:32, 108, 0:32, 97, 7>>}, {"list n0 string", <<131, 108, 0:32, 107, 1:16, 7>>},
     {"list tail list", <<131, 108, 1:32, 97, 1, 108, 1:32, 97, 2, 106>>},
     {"list tail string", <<131, 108, 1:32, 97, 1, 107, 2:16, 3, 4>>},
     {"list tail empty string", <<131, 108, 1:32, 97, 1, 107, 0:16>>},
     {"list tail n0", <<131, 108, 1:32, 97, 1, 108, 0:32, 106>>},
     {"list tail n0 improper", <<131, 108, 1:32, 97, 1, 108, 0:32, 97, 2>>},
     {"list without tail", <<131, 108, 1:32, 97, 1>>}, {"string empty", <<131, 107, 0:16>>},
     {"list of bytes long form", <<131, 108, 2:32, 97, 1, 97, 2, 106>>},
     {"tuple long form", <<131, 105, 1:32, 97, 1>>}, {"tuple huge", <<131, 105, 16#ffffffff:32, 97, 1>>},
     {"int long form", <<131, 98, 1:32>>}, {"big small", <<131, 110, 1, 0, 5>>}, {"big padded", <<131, 110, 4, 0, 5, 0, 0, 0>>},
     {"big empty", <<131, 110, 0, 0>>}, {"big -0", <<131, 110, 1, 1, 0>>}, {"big sign 7", <<131, 110, 1, 7, 5>>},
     {"big min64", <<131, 110, 8, 1, 0:56, 128>>}, {"big max64+1", <<131, 110, 8, 0, 0:56, 128>>},
     {"big large form", <<131, 111, 1:32, 0, 5>>}, {"big large padded", <<131, 111, 20:32, 1, 5, 0:152>>},
     {"nan", <<131, 70, 16#7ff8000000000000:64>>}, {"inf", <<131, 70, 16#7ff0000000000000:64>>}, {"-inf", <<131, 70, 16#fff0000000000000:64>>},
     {"bits 8", <<131, 77, 1:32, 8, 255>>}, {"bits 9", <<131, 77, 1:32, 9, 255>>}, {"bits 0", <<131, 77, 1:32, 0, 255>>},
     {"bits empty 0", <<131, 77, 0:32, 0>>}, {"bits empty 3", <<131, 77, 0:32, 3>>}, {"bits unused set", <<131, 77, 1:32, 3, 255>>},
     {"pid old", <<131, 103, (node_())/binary, 1:32, 2:32, 3>>}, {"pid old creation", <<131, 103, (node_())/binary, 1:32, 2:32, 4>>},
     {"port old", <<131, 102, (node_())/binary, 1:32, 3>>}, {"port old creation", <<131, 102, (node_())/binary, 1:32, 4>>},
     {"port new", <<131, 89, (node_())/binary, 1:32, 77:32>>},
     {"ref old", <<131, 101, (node_())/binary, 1:32, 3>>}, {"ref old creation", <<131, 101, (node_())/binary, 1:32, 4>>},
     {"ref new", <<131, 114, 3:16, (node_())/binary, 3, 1:32, 2:32, 3:32>>},
     {"ref new creation", <<131, 114, 1:16, (node_())/binary, 4, 1:32>>},
     {"ref old 18 bits", <<131, 101, (node_())/binary, 16#3ffff:32, 3>>}, {"ref old 19 bits", <<131, 101, (node_())/binary, 16#40000:32, 3>>},
     {"ref new 18 bits", <<131, 114, 2:16, (node_())/binary, 3, 16#3ffff:32, -1:32>>},
     {"ref new 19 bits", <<131, 114, 2:16, (node_())/binary, 3, 16#40000:32, 1:32>>},
     {"ref newer 32 bits", <<131, 90, 2:16, (node_())/binary, 3:32, -1:32, -1:32>>},
     {"ref 0", <<131, 90, 0:16, (node_())/binary, 7:32>>}, {"ref 6", <<131, 90, 6:16, (node_())/binary, 7:32, 0:192>>},
     {"pid node int", <<131, 88, 97, 1, 1:32, 2:32, 3:32>>}, {"pid cut", <<131, 88, (node_())/binary, 1:32, 2:32>>},
     {"export arity 98", <<131, 113, 119, 1, $m, 119, 1, $f, 98, 3:32>>},
     {"export arity big", <<131, 113, 119, 1, $m, 119, 1, $f, 110, 1, 0, 3>>},
     {"export arity -1", <<131, 113, 119, 1, $m, 119, 1, $f, 98, -1:32>>},
     {"export atom int", <<131, 113, 119, 1, $m, 97, 1, 97, 1>>},
     {"fun", Fun(<<97, 1>>, 1, Pid, <<97, 9>>)}, {"fun index 98", Fun(<<98, 1:32>>, 1, Pid, <<97, 9>>)},
     {"fun free 256", Fun(<<97, 1>>, 256, Pid, binary:copy(<<97, 9>>, 256))},
     {"fun index atom", Fun(<<119, 1, $a>>, 1, Pid, <<97, 9>>)},
     {"map duplicate", <<131, 116, 2:32, 97, 1, 97, 1, 97, 1, 97, 2>>},
     {"map duplicate forms", <<131, 116, 2:32, 97, 1, 97, 1, 110, 1, 0, 1, 97, 2>>},
     {"map int float", <<131, 116, 2:32, 97, 1, 97, 1, 70, 1.0/float, 97, 2>>},
     {"map zeros", <<131, 116, 2:32, 70, 0:64, 97, 1, 70, 1:1, 0:63, 97, 2>>},
     {"map duplicate maps", <<131, 116, 2:32, 116, 2:32, 97, 1, 97, 1, 97, 2, 97, 2, 97, 1, 116, 2:32, 97, 2, 97, 2, 97, 1, 97, 1, 97, 2>>},
     {"map duplicate of 40", <<131, 116, 40:32, (<< <<97, I, 97, 0>> || I <- lists:seq(1, 39)>>)/binary, 97, 20, 97, 1>>},
     {"map odd", <<131, 116, 1:32, 97, 1>>},
     {"compressed", Pack(lists:duplicate(100, a))}, {"compressed nested", <<131, 104, 1, (tail(Pack(lists:duplicate(100, a))))/binary>>},
     {"compressed wrong size", compressed(<<97, 1>>, 3)}, {"compressed small", compressed(<<97, 1>>, 2)},
     {"compressed too much", compressed(<<97, 1, 97>>, 2)},
     {"compressed no zlib", <<131, 80, 10:32, "0123456789">>}] ++
    [{"text float " ++ binary_to_list(S), Text(S)} || S <- [<<"1.50000000000000000000e+00">>, <<"1.5">>, <<"1.5e3">>, <<"+1.5E+3">>,
        <<"-0.0">>, <<"1">>, <<"1e5">>, <<".5">>, <<"1.">>, <<" 1.5">>, <<"1.5 ">>, <<"1.0e999">>, <<"-1.0e-999">>, <<"1.5x">>,
        <<"inf">>, <<"nan">>, <<"0x1.0">>, <<"1_0.0">>, <<"1.5e">>, <<"1.5e+">>]] ++
    record_bytes().

record_bytes() ->
    case release() >= 29 of
        false -> [];
        true ->
            R = fun(N, F, Rest) -> <<131, 67, N:32, F, 119, 1, $m, 119, 1, $r, Rest/binary>> end,
            [{"record flags 2", R(0, 2, <<>>)}, {"record duplicate", R(2, 0, <<119, 1, $a, 119, 1, $a, 97, 1, 97, 2>>)},
             {"record field int", R(1, 0, <<97, 1, 97, 1>>)}, {"record cut", R(1, 0, <<119, 1, $a>>)},
             {"record latin1 fields", R(2, 1, <<115, 1, 233, 100, 1:16, $b, 97, 1, 97, 2>>)}]
    end.

compressed(Plain, Size) -> <<131, 80, Size:32, (zlib:compress(Plain))/binary>>.
tail(<<131, B/binary>>) -> B.

%% ---- terms to be ordered --------------------------------------------------

pool() ->
    B = 1 bsl 53,
    [0, 1, -1, 2, 255, B, B + 1, -B - 1, (1 bsl 60) + 1, 1 bsl 63, (1 bsl 64) + 1, -(1 bsl 64), 1 bsl 1023, 1 bsl 2000,
     0.0, -0.0, 1.0, 1.5, -1.5, float(B), float(B) + 2.0, float(1 bsl 60), float(1 bsl 63), float(1 bsl 64), 1.7976931348623157e308, 5.0e-324,
     a, b, ab, '', 'Z', list_to_atom([233]), list_to_atom([8364]), list_to_atom([128512]), list_to_atom([65535]),
     ref(1), ref(2), ref(3), ref(5), ref("a@b.c", 7, [9, 1, 1]), ref("a@b.c", 7, [1, 1, 9]), ref("a@b.c", 6, [9, 9, 9]), ref("a@b.b", 9, [9, 9, 9]),
     fun lists:map/2, fun lists:map/3, fun lists:all/2, fun a:z/1, fun z:a/1,
     fun_(m, 1, 1, []), fun_(m, 1, 2, []), fun_(m, 2, 1, []), fun_(z, 1, 1, []), fun_(m, 1, 1, [1]), fun_(m, 1, 1, [2]), fun_(m, 1, 1, [0, 0]),
     port(5), port(6), port(1 bsl 40), port("a@b.b", 5, 9), port("a@b.c", 5, 6),
     pid(1, 2, 3), pid(2, 1, 3), pid(1, 2, 4), pid(3, 2, 1), pid("a@b.b", 1, 2, 9),
     {}, {a}, {1}, {1.0}, {b}, {1, 2}, {1, {}}, {[]},
     #{}, #{a => 1}, #{a => 2}, #{a => 1.0}, #{b => 0}, #{1 => x}, #{1.0 => a}, #{2 => x}, #{1 => z, 2 => a}, #{1 => a, 2 => z}, #{1 => 1, 1.5 => 2},
     #{1 => 1, a => 2}, #{0.5 => 1, 7 => 2}, #{[1] => a}, #{[1.0] => a}, #{{1} => 1, {1.0} => 2}, #{1 => #{1 => 1}}, #{1 => #{1.0 => 1}},
     #{0.0 => 1}, #{-0.0 => 1},
     maps:from_list([{I, I} || I <- lists:seq(1, 40)]), maps:from_list([{I, I} || I <- lists:seq(2, 41)]),
     (maps:from_list([{I, I} || I <- lists:seq(1, 40)]))#{40 := 0}, maps:from_list([{float(I), I} || I <- lists:seq(1, 40)]),
     [], [a], [1], [1.0], [1, 2], [1 | 2], [1 | a], [1 | []], [1 | {}], [1, 2 | 3], [1, 2 | []], "hello", [[]], [[], []], [1, [2]], [1 | <<1>>], [1 | #{}],
     <<>>, <<0>>, <<1>>, <<1, 0>>, <<255>>, <<"hello">>, <<0:1>>, <<1:1>>, <<1:2>>, <<16#ff:7>>, <<16#ff:8, 1:1>>, <<1, 1:3>>, <<1, 1:4>>, <<1, 16#10>>] ++
    case release() >= 29 of
        true -> [R || {_, R} <- some_records()] ++ [record(0, n, r, []), record(0, m, s, []), record(0, m, r, [{a, 2}]), record(0, m, r, [{a, 1.0}]), record(1, m, r, [{a, 0}]), record(0, m, r, [{b, 0}])];
        false -> []
    end.

ref(Node, Creation, Words) ->
    b2t(<<90, (length(Words)):16, 119, (length(Node)), (list_to_binary(Node))/binary, Creation:32, (<< <<W:32>> || W <- Words>>)/binary>>).
port(Node, Id, Creation) -> b2t(<<120, 119, (length(Node)), (list_to_binary(Node))/binary, Id:64, Creation:32>>).
pid(Node, Id, Serial, Creation) -> b2t(<<88, 119, (length(Node)), (list_to_binary(Node))/binary, Id:32, Serial:32, Creation:32>>).
fun_(M, Index, Uniq, Free) ->
    B = iolist_to_binary([<<1, Uniq:128, Index:32, (length(Free)):32>>, raw(M), <<97, Index, 97, Uniq>>, raw(pid(1, 2, 3)), [raw(F) || F <- Free]]),
    b2t(<<112, (byte_size(B) + 4):32, B/binary>>).
