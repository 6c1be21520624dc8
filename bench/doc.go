// Package bench times netlab on the scenarios of this folder, each as a whole process: reading the file, building the lab, playing
// it and printing the summary.
//
//	go test -bench . -count 5 ./bench
package bench
