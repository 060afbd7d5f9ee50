// Package archtest holds the module to its own design, as an ordinary test.
//
// Folders are layers and imports point down only. The table in layers.go says,
// folder by folder, what may be imported and whether the standard library must
// be enough; a folder that is missing there fails the test until someone
// decides where it belongs. Beside the arrows the test wants a package comment
// everywhere, refuses grab-bag names such as util and common, and refuses state
// that belongs to a package instead of a value: init functions, exported
// variables other than errors, and variables that some function changes. Two
// nodes in one program always work only because nothing is shared by accident.
//
// Files are parsed, not built, so the rules hold for every operating system's
// files whichever system runs the test. Folders with a go.mod of their own are
// other modules and not looked at.
//
// Every complaint says what to do. If a rule is wrong for a case, change
// the table or add the exception there with its reason.
package archtest
