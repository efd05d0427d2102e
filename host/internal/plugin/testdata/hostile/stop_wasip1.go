package main

// stop does nothing: a module cannot be stopped from within.
func stop() {}
