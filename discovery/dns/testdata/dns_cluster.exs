# Prints the node names that dns_cluster connects to, one a line, in its own order. Arguments: a checkout of
# dns_cluster, the base name of this node, the types with commas, the queries with commas ("base@query" for a tuple).
# ERL_INETRC leads its resolver to the server of the test.
[dir, base, types, queries] = System.argv()
Code.require_file(Path.join(dir, "lib/dns_cluster/resolver.ex"))
Code.require_file(Path.join(dir, "lib/dns_cluster.ex"))

defmodule Recorder do
  def basename(_node), do: Application.get_env(:recorder, :base)
  def list_nodes, do: []

  # dns_cluster 0.2.0 hands the whole tuple to its resolver, which then has no clause for it.
  def lookup({_base, query}, type), do: lookup(query, type)
  def lookup(query, type), do: DNSCluster.Resolver.lookup(query, type)

  def connect_node(name) do
    send(:recorder, {:connect, name})
    false
  end

  def flush(names) do
    receive do
      {:connect, name} -> flush([name | names])
    after
      0 -> Enum.sort(names)
    end
  end
end

# Its warning about this script's own name would be among the names.
Logger.configure(level: :error)
Application.put_env(:recorder, :base, base)
Process.register(self(), :recorder)

query =
  for item <- String.split(queries, ",") do
    case String.split(item, "@") do
      [name] -> name
      [base, name] -> {base, name}
    end
  end

{:ok, pid} =
  DNSCluster.start_link(
    query: query,
    resource_types: Enum.map(String.split(types, ","), &String.to_atom/1),
    resolver: Recorder,
    interval: 3_600_000
  )

:sys.get_state(pid)
Enum.each(Recorder.flush([]), &IO.puts/1)
