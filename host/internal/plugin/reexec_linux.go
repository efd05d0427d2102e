package plugin

// thisProgram is the file of this program, even when its name is another's by now.
func thisProgram() (string, error) { return "/proc/self/exe", nil }
