/* inox replay: run a receipt again and compare every bit. */
#include "cli.h"

#include <string.h>

static int print_report(const common *c, const inox_replay_report *r, const inox_error *err)
{
    if (c->json) {
        json_t *o = json_pack(
            "{s:b, s:I, s:I, s:s, s:s, s:i, s:i, s:b, s:s, s:o}", "identical", r->identical,
            "tokens", (json_int_t)r->tokens, "rows", (json_int_t)r->rows, "was_isa", r->was_isa,
            "now_isa", r->now_isa, "was_threads", r->was_threads, "now_threads", r->now_threads,
            "same_build", r->same_build, "was_build", r->was_build, "first_difference",
            r->first_difference < 0 ? json_null() : json_integer(r->first_difference));
        if (!r->identical)
            json_object_set_new(o, "message", json_text(err->message, strlen(err->message)));
        return print_json(c, o);
    }
    if (!r->identical)
        return 0;
    printf("identical: %zu tokens, %zu rows of logits, same bits (was: %s, %d threads; now: %s, %d "
           "threads)\n",
           r->tokens, r->rows, r->was_isa, r->was_threads, r->now_isa, r->now_threads);
    if (!r->same_build && !c->quiet)
        printf("another build of the engine made it: %.12s...\n", r->was_build);
    return 0;
}

int cmd_replay(const command *c, int argc, char **argv)
{
    common o = { 0 };
    const char *model_path = NULL;
    const option options[] = {
        { "model", 'm', OPTION_TEXT, &model_path, "FILE", "the model, if it has moved since",
          NULL },
        COMMON_OPTIONS(o),
        { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, NULL },
    };
    inox_error err = { 0 };
    char *receipt = NULL, *recorded = NULL;
    inox_model *model = NULL;
    inox_replay_report report = INOX_REPLAY_REPORT_INIT;
    int n = parse_options(
        c, options, "Exit status 0 only when every token and every logit is identical, 1 when not.",
        argc, argv);
    if (n < 0)
        return parse_exit(n);
    if (n != 1)
        return usage_error(c, "give one receipt: a file, or the first digits of an id"), EXIT_USAGE;
    interrupt_at_once();
    inox_status status = inox_receipt_load(argv[0], &receipt, &err);
    if (status == INOX_OK)
        status = inox_receipt_model(receipt, &recorded, &err);
    if (status == INOX_OK) {
        const char *path = model_path != NULL ? model_path : recorded[0] != '\0' ? recorded : NULL;
        status = open_model(&o, path, false, 0, &model, &err);
        if (status == INOX_E_NOT_FOUND && model_path == NULL && !o.quiet)
            fprintf(stderr, "inox: the model of the receipt is not there; --model FILE names it\n");
    }
    int code = 0;
    if (status == INOX_OK) {
        status = inox_replay(model, receipt, &report, &err);
        if (status == INOX_OK || status == INOX_E_MISMATCH)
            code = print_report(&o, &report, &err);
    }
    if (status == INOX_E_MISMATCH && model != NULL) {
        fflush(stdout);
        fprintf(stderr, "inox: %s\n", err.message);
        code = EXIT_DIFFERENT;
    } else if (status != INOX_OK) {
        code = fail(&o, &err);
    }
    inox_model_close(model);
    inox_string_free(recorded);
    inox_string_free(receipt);
    return code;
}
