//go:build race

package truss_test

const idleStack = 4096
