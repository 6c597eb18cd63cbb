/* Fuzz target: any bytes as a receipt.  The first byte chooses: as they are, or with the receipt's
 * own hash put right first, so that what is behind that check is reached too. */
#include "base/hash.h"
#include "trust/receipt.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t size)
{
    inox_error err = { 0 };
    ix_receipt r;
    ix_buffer again = { 0 };
    char id[65];
    inox_status status = ix_receipt_read(text, size, &r, &err);
    if (status == INOX_OK) { /* what is read is written in the same bytes */
        if (ix_receipt_write(&r, &again, id, &err) == INOX_OK &&
            (again.size != size || memcmp(again.data, text, size) != 0))
            __builtin_trap();
    } else if (err.message[0] == '\0' || err.code != status || status == INOX_E_INTERNAL) {
        __builtin_trap();
    }
    ix_buffer_release(&again);
    ix_receipt_release(&r);
}

static void check_with_hash(const char *text, size_t size)
{
    uint8_t digest[IX_SHA256_BYTES];
    char hex[IX_SHA256_HEX];
    ix_buffer whole = { 0 };
    json_error_t e;
    json_t *o = json_loadb(text, size, 0, &e);
    if (json_is_object(o)) {
        json_object_del(o, "sha256");
        char *body = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
        if (body != NULL && ix_sha256_of(body, strlen(body), digest, NULL) == INOX_OK) {
            ix_hex(digest, sizeof digest, hex);
            json_object_set_new(o, "sha256", json_string(hex));
            free(body);
            body = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
            if (body != NULL && ix_buffer_printf(&whole, NULL, "%s\n", body) == INOX_OK)
                check(whole.data, whole.size);
        }
        free(body);
    }
    ix_buffer_release(&whole);
    json_decref(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == '{')
        check((const char *)data, size);
    check_with_hash((const char *)data, size);
    return 0;
}
