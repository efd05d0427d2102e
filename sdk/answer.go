package sdk

// A Status says what an answer is worth. A fault is never a score: the host retries it, then quarantines the record or voids
// the sample.
type Status uint8

// The three kinds of answer.
const (
	OK      Status = iota // the answer holds
	Abstain               // the plugin does not judge this record
	Fault                 // the plugin failed on this record; Detail says why
)

// A Rating answers one Document: a value for each score that the manifest declares, by name. Values travel as float32; a name
// that is missing arrives as NaN, a name that the manifest does not declare is an error.
type Rating struct {
	Status Status
	Scores map[string]float64
	Detail string
}

// An Action is what a filter wants done with a dialogue.
type Action uint8

// The actions. Later postpones the verdict to Flush: a plugin that must have seen all data before it can judge.
const (
	Keep Action = iota
	Drop
	Edit
	Later
)

// A Verdict answers one Dialogue. Score travels as float32; Reasons are names from the manifest's reason table; Edits are
// applied in their order when Action is Edit.
type Verdict struct {
	Status  Status
	Action  Action
	Score   float64
	Reasons []string
	Detail  string
	Edits   []TurnEdit
}

// An EditOp is a change to one turn.
type EditOp uint8

// The changes. InsertTurn puts a user or assistant turn, whichever keeps the alternation, before turn Turn.
const (
	ReplaceTurn EditOp = iota
	DeleteTurn
	InsertTurn
)

// A TurnEdit changes turn Turn (counted from 0, in the dialogue as it stands after the edits before this one).
type TurnEdit struct {
	Turn int
	Op   EditOp
	Text string
}

// A Judgement answers one Sample. Reward and Parts (by name, as the manifest declares them) travel as float32.
type Judgement struct {
	Status Status
	Reward float64
	Parts  map[string]float64
	Detail string
}
