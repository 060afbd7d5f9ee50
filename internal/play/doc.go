// Package play is the command truss play: an app on several "machines" of this
// computer, which find each other by DNS and form one cluster while one watches,
// adds, stops and kills them.
//
// # What is real
//
// Nearly all of it. A machine is a process of its own that runs truss node, or
// erl, with a loopback address of its own, an epmd of its own and a node called
// after its address, demo@127.0.8.3, as dns_cluster wants it. Machines know
// nothing of each other but the address of a DNS server, which they ask for
// demo.internal. Only two things stand in for a platform: the DNS server
// (dnsserver.go), whose zone follows the machines that are up, and for BEAMs what
// "localhost" means on each machine (front.go). docs/decisions/0009-play-machines.md
// tells what was rejected.
//
// # The parts
//
//   - site.go chooses addresses and ports, and process.go, node.go and beam.go
//     start machines there
//   - cluster.go knows the machines, from the lines they print: who is up, who
//     sees whom; settle.go waits until that is as it should be, and asks every
//     node as well (ask.go)
//   - demo.go has what the machines share: regions, and a topic of a PubSub, in
//     which machine.erl has the BEAMs take part
//   - session.go is the prompt and check.go the fixed scenario of --check; both
//     do the things in actions.go and print by screen.go and table.go
//
// Machines end with the program that started them, however that ends: their
// standard input is a pipe from it, and on Linux the kernel sees to it too.
package play
