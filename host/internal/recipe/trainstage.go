package recipe

import "fmt"

// TrainStage is the train stage of that name; the error says which name was meant, or which stages are of kind train.
func (r *Recipe) TrainStage(name string) (*Train, error) {
	st, ok := r.Stages[name]
	if !ok {
		all := r.inFileOrder()
		if near := nearest(name, all); near != "" {
			return nil, fmt.Errorf("there is no stage %q, did you mean %s", name, near)
		}
		return nil, fmt.Errorf("there is no stage %q: the recipe has %s", name, oneOf(all))
	}
	if st.Train == nil {
		trained := r.stagesOf("train")
		if len(trained) == 0 {
			return nil, fmt.Errorf("stage %s is of kind %s, and the recipe has none of kind train", name, st.Kind)
		}
		return nil, fmt.Errorf("stage %s is of kind %s, not train: want one of %s", name, st.Kind, oneOf(trained))
	}
	return st.Train, nil
}

// Answers says whether only answers of the assistant carry loss.
func (t *Train) Answers() bool { return t.Learn == "assistant" || t.Learn == "last" }
