# Reads the lines of record.escript and adds to each what inspect shows.

# Structs print as structs only where their module is there.
defmodule MyApp.User do
  defstruct [:age, :name]
end

opts = [limit: :infinity, printable_limit: :infinity, width: :infinity, custom_options: [sort_maps: true]]

for line <- IO.stream(:stdio, :line) do
  [hex, erlang] = line |> String.trim_trailing("\n") |> String.split("\t", parts: 2)
  term = hex |> Base.decode16!() |> :erlang.binary_to_term()
  IO.puts(hex <> "\t" <> erlang <> "\t" <> inspect(term, opts))
end
