/* The program `inox`: finds the command and runs it. */
#include "cli.h"

#include <fenv.h>
#include <string.h>

static const command COMMANDS[] = {
    { "run", "run [MODEL] [PROMPT] [options]", "Write text behind a prompt, with a receipt.",
      cmd_run },
    { "chat", "chat [MODEL] [options]", "Talk with a model, a line at a time.", cmd_chat },
    { "replay", "replay FILE|ID [options]",
      "Run a receipt again; exit status 0 only when identical.", cmd_replay },
    { "logits", "logits MODEL --ids FILE.json --out FILE.f32 [options]",
      "Write rows of logits as raw float32.", cmd_logits },
    { "inspect", "inspect MODEL [options]", "Show what is in a model file.", cmd_inspect },
    { "tokenize", "tokenize TOKENIZER [FILE...] [options]", "Turn text into tokens, and back.",
      cmd_tokenize },
    { "template", "template FILE|MODEL [VARIABLES] [options]", "Turn a conversation into a prompt.",
      cmd_template },
    { "perplexity", "perplexity MODEL [FILE] [options]",
      "Measure how well a model predicts a text.", cmd_perplexity },
    { "bench", "bench [MODEL] [options]", "Measure tokens per second.", cmd_bench },
    { "list", "list [options]", "List the models that can be named.", cmd_list },
};
#define COMMAND_COUNT (sizeof COMMANDS / sizeof *COMMANDS)

static int help(FILE *f)
{
    fprintf(f,
            "Inox %s: an AI runtime that gives the same bits everywhere, and a receipt for every "
            "answer.\n\n"
            "usage: inox COMMAND [arguments]\n\ncommands:\n",
            inox_version());
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(f, "  %-12s %s\n", COMMANDS[i].name, COMMANDS[i].help);
    fprintf(f, "\n  inox COMMAND --help    the options of a command\n  inox --version [--json]\n\n"
               "Try:  inox run \"Once upon a time\"\n");
    return f == stdout ? EXIT_FINE : EXIT_USAGE;
}

/* The commands that begin as the wrong word does, to be helpful about typing errors. */
static int unknown(const char *name)
{
    fprintf(stderr, "inox: unknown command '%s'. Commands:", name);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(stderr, " %s", COMMANDS[i].name);
    fprintf(stderr, "\n");
    return EXIT_USAGE;
}

/* A wrong kernel costs speed and no bits, but it means a broken build or processor. */
static void tell_rejected(void)
{
    const char *name;
    for (int32_t i = 0; (name = inox_kernel_rejected(i)) != NULL; i++)
        fprintf(stderr,
                "inox: kernel %s differs from the reference on this machine and was not used; "
                "please report it\n",
                name);
}

int main(int argc, char **argv)
{
    static const common NONE = { 0 };
    static char help_option[] = "--help";
    fesetenv(FE_DFL_ENV); /* a preloaded library may have changed how --temp 0.8 is read */
    keep_standard_files();
    catch_interrupt();
    if (argc < 2)
        return help(stderr);
    if (argc > 2 && strcmp(argv[1], "help") == 0) { /* "help run" is "run --help" */
        argv[1] = argv[2];
        argv[2] = help_option;
        argc = 3;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return finish_output(&NONE, help(stdout));
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        if (argc > 2 && strcmp(argv[2], "--json") == 0)
            printf("%s\n", inox_version_json());
        else
            printf("inox %s\n", inox_version());
        return finish_output(&NONE, EXIT_FINE);
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], COMMANDS[i].name) == 0) {
            int code = COMMANDS[i].run(&COMMANDS[i], argc - 2, argv + 2);
            tell_rejected();
            return finish_output(&NONE, code);
        }
    }
    return unknown(argv[1]);
}
