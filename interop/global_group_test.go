package interop

import (
	"fmt"
	"testing"

	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
)

// TestGlobalGroups: a BEAM that is configured with global groups, which a node of ours
// has not, as one of OTP's by default. Each finds the other not to be in agreement with
// it, so they share no names; nobody hangs. What it says of a node of ours is what it
// says of a BEAM without groups, but that its global:sync/0 returns: for a BEAM that is
// said to be in its group, it waits for ever.
func TestGlobalGroups(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		for _, group := range []string{"member", "stranger"} {
			var said [2]string
			for i, who := range []string{"theirs", "ours"} {
				t.Run(group+"/"+who, func(t *testing.T) {
					said[i] = testGlobalGroups(t, release, group == "member", who == "ours")
				})
			}
			if said[0] != said[1] {
				t.Errorf("%s: of a BEAM it says\n%s\nof ours\n%s", group, said[0], said[1])
			}
		}
	})
}

func testGlobalGroups(t *testing.T, release beam.Release, member, ours bool) (said string) {
	const name = "plain@127.0.0.1"
	epmd := release.StartEPMD(t)
	other := "else@127.0.0.1"
	if member {
		other = name
	}
	grouped := release.Start(t, beam.Options{Name: "grouped@127.0.0.1", EPMD: epmd, Kernel: map[string]string{
		"global_groups": "[{one,['grouped@127.0.0.1','" + other + "']},{two,['another@127.0.0.1']}]",
	}})
	if ours {
		m := startMember(t, epmd, name)
		connect(t, m.Node, grouped.Name)
		grouped.Await(t, "nodes()", atoms(name))
		if err := m.Sync(within(t)); err != nil {
			t.Error(err)
		}
		if err := m.RegisterName(within(t), etf.Atom("here"), idle(t, m.Node).PID()); err != nil {
			t.Error(err)
		}
		if got := grouped.MustEval(t, "global:sync()"); got != "ok" {
			t.Errorf("global:sync() returns %s", got)
		}
		defer func() {
			if err := m.Sync(within(t)); err != nil {
				t.Error(err)
			}
			if pid, ok := m.WhereisName(etf.Atom("there")); ok {
				t.Errorf("we have its name, of %v", pid)
			}
			if got := grouped.MustEval(t, "global:sync()"); got != "ok" {
				t.Errorf("after global_group:sync(), global:sync() returns %s", got)
			}
		}()
	} else {
		b := release.Start(t, beam.Options{Name: name, EPMD: epmd})
		if got := b.MustEval(t, "net_kernel:connect_node('"+grouped.Name+"')"); got != "true" {
			t.Fatal(got)
		}
		grouped.Await(t, "nodes()", atoms(name))
		if got := b.MustEval(t, "global:register_name(here, spawn(fun() -> receive never -> ok end end))"); got != "yes" {
			t.Fatal(got)
		}
	}
	state := "lists:keyfind(sync_error, 1, global_group:info())"
	wrong := "{sync_error,[]}"
	if member {
		wrong = "{sync_error,['" + name + "']}"
	}
	grouped.Await(t, state, wrong)
	for _, question := range []string{
		fmt.Sprintf(registerIdle, "there"),
		"L = {l, self()}, {global:set_lock(L), global:del_lock(L)}",
		"global:registered_names()",
		"global_group:sync()",
		"[node(P) || P <- [global_group:whereis_name({node, '" + name + "'}, here)]]",
		"global_group:whereis_name({node, '" + name + "'}, there)",
		"global_group:registered_names({node, '" + name + "'})",
		"node(global_group:send({node, '" + name + "'}, here, hello))",
		"nodes()",
	} {
		said += question + " -> " + grouped.MustEval(t, question) + "\n"
	}
	grouped.Await(t, state, wrong)
	return said
}
