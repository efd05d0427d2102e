package sdk

// A Turn is one utterance of a dialogue. Role is RoleSystem, RoleUser, RoleAssistant or RoleTool; the empty role marks
// raw text that a chat template must not wrap.
type Turn struct {
	Role Role
	Text string
}

// A Role says who speaks. Its values are those of the OpenAI message format.
type Role string

// The roles of a dialogue.
const (
	RoleRaw       Role = ""
	RoleSystem    Role = "system"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "tool"
)

// A Document is one text of a corpus. Text is valid UTF-8; Language is a BCP 47 tag or empty; Meta is a JSON object or empty.
type Document struct {
	ID       string
	Text     string
	Language string
	Source   string
	Meta     string
}

// A Dialogue is a conversation in the order it was held.
type Dialogue struct {
	ID       string
	Turns    []Turn
	Language string
	Source   string
}

// A Sample is one answer to be judged. History ends with the turn that the response answers; Reference is the known right
// answer, or empty.
type Sample struct {
	ID        string
	History   []Turn
	Response  string
	Reference string
}
