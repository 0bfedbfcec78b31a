/** Parameters of Argon2id: memory in KiB, passes over it, lanes. */
export interface Argon2Parameters {
  memory: number;
  passes: number;
  parallelism: number;
}

/** The content of a PHC string. */
export interface PasswordHash extends Argon2Parameters {
  salt: Uint8Array;
  tag: Uint8Array;
}

/** OWASP Password Storage Cheat Sheet, Argon2id: "19 MiB of memory, an iteration count of 2, and 1 degree of parallelism". */
export const CURRENT_PARAMETERS: Argon2Parameters = { memory: 19_456, passes: 2, parallelism: 1 };
export const SALT_LENGTH = 16;
export const TAG_LENGTH = 32;

/** Version 1.3 (0x13) of the algorithm, the one of RFC 9106. */
const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{16,128})$/;

/** Writes a hash in the PHC string format (github.com/P-H-C/phc-string-format): base64 without padding. */
export function encodePasswordHash({ memory, passes, parallelism, salt, tag }: PasswordHash): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`;
}

/** Reads a PHC string. @throws Error when it is not one of Argon2id version 19. */
export function decodePasswordHash(text: string): PasswordHash {
  const match = PHC.exec(text);
  if (!match) throw new Error('A stored password hash is not a PHC string of argon2id');
  const [, memory, passes, parallelism, salt = '', tag = ''] = match;
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

/** Whether a hash was made with other parameters than new ones. */
export function isOutdated({ memory, passes, parallelism, salt, tag }: PasswordHash): boolean {
  return (
    memory !== CURRENT_PARAMETERS.memory ||
    passes !== CURRENT_PARAMETERS.passes ||
    parallelism !== CURRENT_PARAMETERS.parallelism ||
    salt.length !== SALT_LENGTH ||
    tag.length !== TAG_LENGTH
  );
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
