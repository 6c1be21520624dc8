// Package report reads the folder of a run and is what the packages below it draw from: ladder draws packets as sequence diagrams, story
// tells a run in sentences, page makes the HTML report, compare sets runs side by side. The types of this package declare of the
// run's files what a person looks at; what else is in them is passed over.
//
// All of it is made from files only: the same folder gives the same output, byte for byte, on any machine.
package report
