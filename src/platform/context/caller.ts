export type Role = 'customer' | 'admin';

/** Who makes the request, as the access token states it. */
export interface Caller {
  userId: string;
  role: Role;
  sessionId: string;
}
