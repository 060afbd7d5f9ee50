// Package contender is what every program in the comparison has in common: the
// command line that says what to do, the work itself (which bytes, how many,
// how they are checked), how it is timed, and the one line of JSON it prints.
//
// A contender runs as two processes. One serves until its standard input ends:
//
//	PROGRAM serve -name s@127.0.0.1 -epmd 14369 -port 14400
//
// It prints "ready WHERE" once it can be reached. The other does one run
// against it, prints one line of figures and ends:
//
//	PROGRAM drive -scenario send -payload tuple -count 100000 -senders 8 -peer WHERE ...
//	{"figures":{"count":100000,"seconds":0.41,"rate":243902}}
//
// or {"error":"..."} if a message was lost, came twice or was changed. The
// contenders in Erlang (bench/otp) take the same command line and speak the same
// messages, so that a driver of one system can be set on the server of another.
//
// # The messages between Erlang nodes
//
// The server has a process called sink. {start, From, Kind, Receivers, Each}
// makes it spawn receivers and answer {ready, Pids}. A receiver of kind tuple or
// binary takes Each messages and then tells From {done, Count, Sum}; if nothing
// has come for IdleLimit it says what it has. One of kind echo answers
// {ping, From, N} with {pong, N} until it is told stop. {collect, From} makes the
// server collect its garbage and answer {collected, Bytes}. A second process,
// calc, is a gen_server that answers {add, A, B} with the sum.
//
// # Flow control
//
// There is none but the system's own, at its default. The clock runs from the
// first send until the last receiver has said that it has everything, so that
// filling buffers wins nothing.
package contender
