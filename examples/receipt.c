/* Writes text with a receipt, then replays the receipt with one thread and the reference kernels:
 * other code, same bits.
 *
 *     cc -std=c17 receipt.c -o receipt $(pkg-config --cflags --libs inox)
 */
#include <inox.h>

#include <stdio.h>
#include <string.h>

static inox_status answer(inox_model *model, const char *prompt, inox_result **out, inox_error *err)
{
    inox_generate_options options = INOX_GENERATE_OPTIONS_INIT;
    inox_tokens tokens;
    inox_session *session = NULL;
    options.max_tokens = 12;
    inox_status status = inox_tokenize(model, prompt, strlen(prompt), INOX_TOKENIZE_SPECIAL,
                                       &tokens, err);
    if (status == INOX_OK)
        status = inox_session_new(model, NULL, &session, err);
    if (status == INOX_OK)
        status = inox_generate(session, tokens.ids, tokens.count, &options, out, err);
    inox_session_free(session);
    inox_tokens_release(&tokens);
    return status;
}

int main(void)
{
    inox_error err;
    inox_model *model = NULL, *other = NULL;
    inox_result *result = NULL;
    inox_result_info info = INOX_RESULT_INFO_INIT;
    inox_replay_report report = INOX_REPLAY_REPORT_INIT;
    inox_model_options plain = INOX_MODEL_OPTIONS_INIT;

    plain.threads = 1;
    plain.isa = "ref";
    inox_status status = inox_model_open(NULL, NULL, &model, &err);
    if (status == INOX_OK)
        status = answer(model, "The sea was", &result, &err);
    if (status == INOX_OK)
        status = inox_result_describe(result, &info, &err);
    if (status == INOX_OK)
        status = inox_model_open(NULL, &plain, &other, &err);
    if (status == INOX_OK)
        status = inox_replay(other, info.receipt, &report, &err);
    if (status == INOX_OK)
        printf("The sea was%s\nreceipt %.12s: made by %s, replayed by %s, %zu tokens, same bits\n",
               info.text, info.receipt_id, report.was_isa, report.now_isa, report.tokens);
    else
        fprintf(stderr, "%s: %s\n", inox_status_name(err.code), err.message);
    inox_result_free(result);
    inox_model_close(other);
    inox_model_close(model);
    return status == INOX_OK ? 0 : 1;
}
