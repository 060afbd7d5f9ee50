# Prints a line for each sample: hex of the external form, what it is.
times = [
  ~U[2024-02-29 12:30:45.678901Z],
  ~U[0001-01-01 00:00:00Z],
  ~U[1969-12-31 23:59:59.999Z],
  ~N[2024-02-29 12:30:45.678901],
  ~N[-0044-03-15 11:00:00],
  %DateTime{year: 2024, month: 7, day: 1, hour: 12, minute: 0, second: 0, microsecond: {0, 0},
    time_zone: "Europe/Paris", zone_abbr: "CEST", utc_offset: 3600, std_offset: 3600, calendar: Calendar.ISO},
  {{2024, 2, 29}, {12, 30, 45}}
]

for t <- times do
  instant =
    case t do
      %DateTime{} -> t
      %NaiveDateTime{} -> DateTime.from_naive!(t, "Etc/UTC")
      erl -> DateTime.from_naive!(NaiveDateTime.from_erl!(erl), "Etc/UTC")
    end

  IO.puts(Base.encode16(:erlang.term_to_binary(t)) <> "\t" <> Integer.to_string(DateTime.to_unix(instant, :microsecond)))
end
