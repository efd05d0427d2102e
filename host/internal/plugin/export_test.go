package plugin

// BuiltDir is the folder of what the tests of a run build, and their cache of compiled modules.
func BuiltDir() string { return built }
