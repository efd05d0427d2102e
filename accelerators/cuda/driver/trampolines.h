// What trampolines.c found out when the program started.
const char *driver_library(void);          // the name the driver was opened by; NULL without one
const char *driver_refusal(void);          // without one, why not
int driver_started(void);                  // what its cuInit answered
int driver_missing(void);                  // how many of the functions it lacks
const char *driver_missing_name(int i);
