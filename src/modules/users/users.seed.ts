import type { Seed } from '../../platform/lifecycle/index.js';
import { UsersService } from './users.service.js';

const PASSWORD = 'holdfast-demo-password';
const ACCOUNTS = [
  { email: 'admin@example.com', name: 'Ada Admin', admin: true },
  { email: 'customer@example.com', name: 'Carl Customer', admin: false },
];

/** Two accounts with a well-known password. */
export const seedUsers: Seed = async (context) => {
  const users = context.get(UsersService, { strict: false });
  for (const { email, name, admin } of ACCOUNTS) {
    if (await users.isRegistered(email)) continue;
    await users.register({ email, name, password: PASSWORD });
    if (admin) await users.promote(email);
  }
  return `There are accounts for ${ACCOUNTS.map(({ email }) => email).join(' and ')}.`;
};
