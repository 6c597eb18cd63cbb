/* Inox: what all its headers share: versions, status codes, the error that the caller owns.
 *
 * Included by inox.h and inox_text.h; there is no need to include it by itself.
 */
#ifndef INOX_STATUS_H
#define INOX_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define INOX_VERSION_MAJOR 0
#define INOX_VERSION_MINOR 1
#define INOX_VERSION_PATCH 0

#if defined(__GNUC__)
#define INOX_API __attribute__((visibility("default")))
#define INOX_CHECK __attribute__((warn_unused_result))
#else
#define INOX_API
#define INOX_CHECK
#endif

/* ---- status and error ------------------------------------------------------------------------ */

/* Pinned: a code never changes its meaning or its number. */
typedef int32_t inox_status;
#define INOX_OK 0
#define INOX_E_ARGUMENT (-1)    /* the caller passed something impossible */
#define INOX_E_MEMORY (-2)      /* an allocation failed */
#define INOX_E_IO (-3)          /* the operating system refused */
#define INOX_E_NOT_FOUND (-4)   /* no such file, model, tensor or receipt */
#define INOX_E_FORMAT (-5)      /* malformed bytes; the error has the position */
#define INOX_E_UNSUPPORTED (-6) /* well-formed, but of a kind that Inox does not run */
#define INOX_E_LIMIT (-7)       /* beyond a stated bound */
#define INOX_E_CONTEXT (-8)     /* the context is full */
#define INOX_E_NAN (-9)         /* the model computed NaN where a choice was needed */
#define INOX_E_MISMATCH (-10)   /* a replay gave other bits, or a receipt or model was changed */
#define INOX_E_CANCELLED (-11)  /* a callback asked to stop */
#define INOX_E_ISA (-12)        /* unknown instruction set, or one that this CPU lacks */
#define INOX_E_INTERNAL (-13)   /* a bug of ours */

/* What went wrong; the caller owns it, on the stack usually. */
typedef struct inox_error {
    inox_status code;
    int64_t position;   /* byte position in the input that was wrong, or -1 */
    char message[1024]; /* what was wrong, where, what to do; NUL-terminated */
} inox_error;

/* Name of a status code, "INOX_E_FORMAT"; never NULL. */
INOX_API const char *inox_status_name(inox_status code);

/* "0.1.0" of the library that is linked, whatever header the caller used. */
INOX_API const char *inox_version(void);

/* Frees a string that a call handed out. NULL is fine. */
INOX_API void inox_string_free(char *s);

#ifdef __cplusplus
}
#endif
#endif
