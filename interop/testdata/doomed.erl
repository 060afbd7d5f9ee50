%% Ends something when global_name_server has received a message of a kind.
-module(doomed).
-export([halt_at/1, disconnect_at/2]).

halt_at(Kind) -> at(Kind, fun(_) -> true end, fun() -> erlang:halt(1, [{flush, false}]) end).

disconnect_at(Kind, Node) -> at(Kind, fun(Message) -> from(Message) =:= Node end, fun() -> erlang:disconnect_node(Node) end).

at(Kind, Fits, Do) ->
    Self = self(),
    Tracer = spawn(fun() ->
        1 = erlang:trace(whereis(global_name_server), true, ['receive']),
        Self ! {self(), armed},
        loop(Kind, Fits, Do)
    end),
    receive {Tracer, armed} -> ok end.

loop(Kind, Fits, Do) ->
    receive
        {trace, _, 'receive', Message} ->
            case kind(Message) =:= Kind andalso Fits(Message) of
                true -> Do();
                false -> loop(Kind, Fits, Do)
            end
    end.

kind({'$gen_cast', Message}) -> element(1, Message);
kind({'$gen_call', _, Message}) when is_tuple(Message) -> element(1, Message);
kind(Message) when is_tuple(Message) -> element(1, Message);
kind(_) -> none.

%% from is the node that a message comes from.
from({'$gen_call', {Pid, _}, _}) -> node(Pid);
from({'$gen_cast', {init_connect, _, Node, _}}) -> Node;
from({'$gen_cast', {lock_set, Pid, _, _, _}}) -> node(Pid);
from({'$gen_cast', Message}) -> element(2, Message);
from(Message) -> element(2, Message).
