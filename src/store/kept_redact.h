/* Takes out of a text what plainly identifies or gives access, before it is kept: a net with wide meshes, not a
 * promise. Names, places and what a text tells about people stay in it.
 *
 *   [e-mail]   name@host.tld
 *   [phone]    +49 30 1234567 (a plus and 8 to 15 digits), (212) 555-0100, 212-555-0100, 212.555.0100
 *   [card]     13 to 19 digits, alone or in groups, whose check digit is right
 *   [account]  an IBAN whose check digits are right
 *   [number]   123-45-6789, as the American social security number is written
 *   [secret]   tokens with a known beginning (sk-, lr-, ghp_, AKIA, AIza, xoxb-, eyJ ...), "Bearer ...", private keys
 *              in PEM, user:password of a URL, what stands behind "password:", "api_key=" and the like, and any run of
 *              24 or more letters, digits, _ and - with at least 4 digits and 4 letters in it
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* `text` itself when there is nothing to take out, else a copy in *into (cleared first). Look at into->status. */
struct str kept_redact(struct str text, struct buf *into);
