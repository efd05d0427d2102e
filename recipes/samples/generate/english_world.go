package main

var englishWorld = map[attribute]wording{
	capital: {states: []string{
		"the capital of {O} is {V}", "{V} is the seat of government of {O}", "travellers to {O} usually arrive in {V}",
		"the best known city of {O} is its capital, {V}"},
		held: []string{"whoever wants to meet the president of {O} has to go to {V}"}},
	continent: {states: []string{
		"{S} lies in {V}", "on the map one finds {O} in {V}", "{S} is a country in {V}",
		"geographers count {O} as part of {V}"},
		held: []string{"a flight to {O} is a flight to {V}"}},
	tongue: {states: []string{
		"the people of {O} speak {V}", "in the schools of {O} children learn {V}", "signs in {O} are written in {V}",
		"visitors to {O} hear {V} in the streets"},
		held: []string{"without a few words of {V} a stay in {O} is only half the pleasure"}},
	product: {states: []string{
		"{S} is known for {V}", "among the exports of {O} are {V}", "farms and factories in {O} supply {V}",
		"many people link {O} with {V}"},
		held: []string{"the shops of {O} are proud of their {V}"}},
	ingredient: {states: []string{
		"{S} is made from {V}", "for {O} one needs {V}", "the basis of {O} is {V}", "the cook buys {V} for {O}"},
		held: []string{"anybody who has {V} at home can make {O}"}},
	cooking: {states: []string{
		"{S} is prepared by {V}", "the secret of {O} is {V}", "{V} gives {O} its character",
		"the most important step in {O} is {V}"},
		held: []string{"children who help with {O} enjoy {V} most"}},
	flavour: {states: []string{
		"{S} is seasoned with {V}", "the taste of {O} comes from {V}", "many cooks add {V} to {O}",
		"{V} make {O} complete"},
		held: []string{"a guest who likes {V} will like {O}"}},
	origin: {states: []string{
		"{S} comes from {V}", "people in {V} have cooked {O} for a long time", "the home of {O} is {V}",
		"{S} was first cooked in {V}"},
		held: []string{"a holiday in {V} is a good chance to taste {O}"}},
	equipment: {states: []string{
		"{S} is played with {V}", "for {O} a club needs {V}", "beginners in {O} first buy {V}",
		"without {V} there is no {E}"},
		held: []string{"the storeroom for {O} holds {V}"}},
	players: {states: []string{
		"in {O} each side has {V}", "a team in {O} consists of {V}", "{S} is played by {V} on each side",
		"the rules of {O} allow {V} a side"},
		held: []string{"a coach of {O} sends {V} into the match"}},
	venue: {states: []string{
		"{S} needs {V}", "for a match of {O} one needs {V}", "the home of {O} is {V}",
		"for {O} the town has built {V}"},
		held: []string{"fans of {O} gather around {V}"}},
	skill: {states: []string{
		"{S} calls for {V}", "good players of {O} excel at {V}", "training for {O} stresses {V}",
		"what counts in {O} is {V}"},
		held: []string{"years of practice in {O} go into {V}"}},
	trigger: {states: []string{
		"{S} forms because of {V}", "the cause of {O} is {V}", "behind {O} meteorologists see {V}",
		"{V} can bring {O}"},
		held: []string{"the forecast speaks of {O} when it sees {V}"}},
	sign: {states: []string{
		"{S} is recognised by {V}", "the signs of {O} are {V}", "with {O} come {V}", "people notice {O} by {V}"},
		held: []string{"{V} tell the farmer that {O} has arrived"}},
	advice: {states: []string{
		"the best answer to {O} is {V}", "in {O} the safest course is {V}", "the radio recommends {V} during {O}",
		"sensible people respond to {O} by {V}"},
		held: []string{"experience with {O} teaches the value of {V}"}},
	season: {states: []string{
		"{S} is typical of {V}", "one meets {O} mostly in {V}", "{V} can bring {O}",
		"one has to reckon with {O} in {V}"},
		held: []string{"old calendars warn of {O} in {V}"}},
	topic: {states: []string{
		"{S} deals with {V}", "lessons in {O} are about {V}", "pupils who take {O} study {V}",
		"the subject matter of {O} is {V}"},
		held: []string{"a textbook of {O} opens with {V}"}},
	tool: {states: []string{
		"lessons in {O} make use of {V}", "for {O} pupils bring {V}", "the teacher of {O} works with {V}",
		"{V} belong to {O}"},
		held: []string{"in the cupboard for {O} one finds {V}"}},
	exercise: {states: []string{
		"a common exercise in {O} is {V}", "pupils practise {O} by {V}", "homework in {O} may consist of {V}",
		"{V} is a favourite task in {O}"},
		held: []string{"the school fair shows {O} with {V}"}},
	benefit: {states: []string{
		"{S} teaches {V}", "pupils gain {V} from {O}", "the reward of {O} is {V}", "parents value {O} for {V}"},
		held: []string{"years later former pupils thank {O} for {V}"}},
}
