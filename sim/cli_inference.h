// "--inference N|all" for commands that take programs: firmware in the place of one, and which of its inferences.
#ifndef AI8XSIM_CLI_INFERENCE_H
#define AI8XSIM_CLI_INFERENCE_H

#include <stdbool.h>

#include "cli.h"

// true where the line has the option and the command is none that reads it itself.
bool cli_inference_asked(const struct cli_command *command, int argc, char **argv);

// Runs the command once for each inference that is asked for, with "image.elf#N" in the place of the image.
int cli_inference_run(int argc, char **argv,
                      int (*run)(const struct cli_command *command, int argc, char **argv),
                      const struct cli_command *command);

#endif
