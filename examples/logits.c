/* Feeds token ids and prints the five likeliest next tokens.
 *
 *     cc -std=c17 logits.c -o logits $(pkg-config --cflags --libs inox)
 */
#include <inox.h>

#include <stdio.h>

/* Who stands behind `before` in the order (logit descending, index ascending). */
static size_t next_best(const float *row, size_t columns, size_t before)
{
    size_t best = columns;
    for (size_t i = 0; i < columns; i++) {
        bool taken = before < columns &&
                     (row[i] > row[before] || (row[i] == row[before] && i <= before));
        if (!taken && (best == columns || row[i] > row[best]))
            best = i;
    }
    return best;
}

int main(void)
{
    const int32_t ids[] = { 259, 260, 261 };
    inox_error err;
    inox_model *model = NULL;
    inox_session *session = NULL;
    size_t rows, columns, token = SIZE_MAX;
    inox_status status = inox_model_open(NULL, NULL, &model, &err);
    if (status == INOX_OK)
        status = inox_session_new(model, NULL, &session, &err);
    if (status == INOX_OK)
        status = inox_session_feed(session, ids, 3, INOX_LOGITS_LAST, &err);
    if (status != INOX_OK)
        fprintf(stderr, "%s: %s\n", inox_status_name(err.code), err.message);
    const float *row = NULL;
    if (status == INOX_OK)
        row = inox_session_logits(session, &rows, &columns);
    for (int i = 0; i < 5 && row != NULL; i++) {
        token = next_best(row, columns, token);
        printf("%5zu  %9.6f\n", token, (double)row[token]);
    }
    inox_session_free(session);
    inox_model_close(model);
    return status == INOX_OK ? 0 : 1;
}
