package cli

import "testing"

func TestRPC(t *testing.T) {
	t.Setenv("TRUSS_COOKIE", cookie)
	node, epmd := startNode(t, "app@127.0.0.1")
	if err := exportModule(node); err != nil {
		t.Fatal(err)
	}
	call := func(args ...string) result {
		return command(t, append([]string{"rpc", "app@127.0.0.1", "--epmd", epmd}, args...)...)
	}
	for want, args := range map[string][]string{
		"3\n":                 {"truss:add", "1", "2"},
		"{a,<<\"b\">>}\n":     {"truss:echo", `{a, <<"b">>}`},
		"{:a, \"b\"}\n":       {"--elixir", "Truss.echo", `{a, <<"b">>}`},
		"['app@127.0.0.1']\n": {"erlang:nodes", "this"},
	} {
		if got := call(args...).ok(t); got != want {
			t.Errorf("%v: %q, want %q", args, got, want)
		}
	}
	o := object(t, call("--json", "Elixir.Truss:add", "1", "2").ok(t))
	if o["function"] != "Elixir.Truss:add/2" || o["result"] != "3" {
		t.Error(o)
	}
	call("truss:crash", "why").fails(t, exitFailed, "truss:crash/1 on app@127.0.0.1 failed: error why")
	call("truss:throw", "ball").fails(t, exitFailed, "failed: throw ball")
	call("truss:exit", "bye").fails(t, exitFailed, "failed: exit bye")
	call("no:such", "1").fails(t, exitFailed, "no:such/1 on app@127.0.0.1 failed: error undef")
	call("truss:sleep", "60000", "--timeout", "300ms").fails(t, exitFailed, "timed out after 300ms")
	call("nonsense").fails(t, exitUsage, "no function")
	call("a:b", "X").fails(t, exitUsage, "TERM is wrong")
	command(t, "rpc", "app@127.0.0.1").fails(t, exitUsage, "M:F is missing")
}
