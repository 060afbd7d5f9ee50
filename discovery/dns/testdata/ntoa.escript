#!/usr/bin/env escript
%% Prints, for each address, a tab and what inet:ntoa/1 makes of it.
main(_) ->
  Fixed = ["0.0.0.0","10.0.0.1","255.255.255.255",
       "fdaa:0:1::3","1:0:2:3:4:5:6:7","0:1:2:3:4:5:6:7","1:2:3:4:5:6:7:0","::","::1","::5","::ffff","::1:0","::1:1",
       "::ffff:1.2.3.4","::1.2.3.4","::2:3","1:0:0:2:0:0:3:4","1:0:0:2:0:0:0:4","0:0:1:2:3:4:0:0","fe80::1",
       "64:ff9b::1.2.3.4","::ffff:0:1.2.3.4","1:2:3:0:0:6:7:8","2001:db8:0:0:1:0:0:1","ABCD:EF01::",
       "::fffe:1.2.3.4","::ffff:0:0","0:0:0:0:0:1:0:0","0:1:0:0:0:0:0:0","1:0:0:0:0:0:0:0","10:0:3:0:0:0:0:1",
       "fdaa:0:36c9:a7b:db:400e:1352:1"],
  %% Every pattern of zero and non-zero fields: where the :: goes.
  Patterns = [io_lib:format("~.16b:~.16b:~.16b:~.16b:~.16b:~.16b:~.16b:~.16b",
                [((N bsr I) band 1) * (16#a0 + I) || I <- lists:seq(7, 0, -1)]) || N <- lists:seq(0, 255)],
  [begin {ok,A} = inet:parse_address(lists:flatten(S)), io:format("~s\t~s~n", [S, inet:ntoa(A)]) end
   || S <- Fixed ++ Patterns].
