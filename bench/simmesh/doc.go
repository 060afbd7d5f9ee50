// Package simmesh has one test, which is a contender: a full mesh of BENCH_NODES
// nodes (10 unless told otherwise) in package trusstest's simulated network. It
// forms, is cut in two, notices, and heals, on fake time, so that what is
// measured is the processor time and memory it takes. It is a test because
// testing/synctest has its clock for tests only.
package simmesh
