import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examplesOf, removeFeatures } from './lib/remove-features.js';

/** A product of three features; exports stand on orders. */
const TREE: Record<string, string> = {
  'src/product.modules.ts': `import { ExportsModule } from './modules/exports/index.js';
import { OrdersModule } from './modules/orders/index.js';
import { UsersModule } from './modules/users/index.js';

export const PRODUCT = [UsersModule, OrdersModule, ExportsModule];
`,
  'src/product.ts': `import { ExportsSettings } from './modules/exports/exports.settings.js';
import { UsersSettings } from './modules/users/users.settings.js';

export const PRODUCT = {
  settings: {
    users: UsersSettings,
    exports: ExportsSettings,
  },
};
`,
  'src/modules/users/user.entity.ts': `@Entity('users')\nexport class User {}\n`,
  'src/modules/users/users.settings.ts': `@Setting('USERS_MAX', {})\n`,
  'src/modules/orders/order.entity.ts': `@Entity('orders')\nexport class Order {}\n`,
  'src/modules/orders/orders.controller.ts': `@Controller('v1/orders')\nexport class OrdersController {}\n`,
  'src/modules/orders/index.ts': `export { OrdersModule } from './orders.module.js';\n`,
  'src/modules/exports/exports.settings.ts': `@Setting('EXPORT_URL', {})\n`,
  'src/modules/exports/index.ts': `import { Order } from '../orders/order.entity.js';\n`,
  'migrations/1-users.ts': 'CREATE TABLE users (id uuid)',
  'migrations/2-orders.ts': 'CREATE TABLE orders (user_id uuid REFERENCES users)',
  'test/e2e/shop.ts': `export const place = () => http.post('/v1/orders');\n`,
  'test/e2e/buying.spec.ts': `import { place } from './shop.js';\n`,
  'test/e2e/users.spec.ts': `it('registers', () => http.post('/v1/users'));\n`,
  'bench/workloads/index.ts': `import { login } from './login.workload.js';
import { orderRead } from './order-read.workload.js';

export const workloads = [login, orderRead];
export const started = 'bare/hashes.mjs';
`,
  'bench/workloads/login.workload.ts': 'export const login = 1;\n',
  'bench/workloads/order-read.workload.ts': `export const orderRead = ['/v1/orders/7', 'bare/orders.mjs'];\n`,
  'bench/bare/hashes.mjs': 'listen();\n',
  'bench/bare/orders.mjs': `import { shelf } from './shelf.mjs';\nlisten(shelf);\n`,
  'bench/bare/shelf.mjs': 'export const shelf = 1;\n',
  'local/sandbox.ts': '// Calls /v1/orders back.\n',
  'docker-compose.yml': `environment:
  USERS_MAX: 1
  EXPORT_URL: http://x
  PLAINTEXT_CONNECTIONS: DATABASE_URL,EXPORT_URL,REDIS_URL
`,
};

describe('removed features', () => {
  let root: string;
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const left = () => Object.keys(TREE).filter((path) => existsSync(join(root, path)));

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'remove-features-'));
    for (const [path, text] of Object.entries(TREE)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('are removed with their migrations, tests, workloads and what only those need; everything else stays', () => {
    const { files, edits } = removeFeatures(root, examplesOf(root));

    expect(left()).toEqual([
      'src/product.modules.ts',
      'src/product.ts',
      'src/modules/users/user.entity.ts',
      'src/modules/users/users.settings.ts',
      'migrations/1-users.ts',
      'test/e2e/users.spec.ts',
      'bench/workloads/index.ts',
      'bench/workloads/login.workload.ts',
      'bench/bare/hashes.mjs',
      'local/sandbox.ts',
      'docker-compose.yml',
    ]);
    expect(files).toContainEqual({ path: 'test/e2e/shop.ts', reason: 'uses the route /v1/orders' });
    expect(files).toContainEqual({ path: 'test/e2e/buying.spec.ts', reason: 'needs test/e2e/shop.ts' });
    expect(files).toContainEqual({
      path: 'bench/bare/orders.mjs',
      reason: 'only bench/workloads/order-read.workload.ts needs it',
    });
    expect([...edits.keys()].toSorted()).toEqual([
      'bench/workloads/index.ts',
      'docker-compose.yml',
      'src/product.modules.ts',
      'src/product.ts',
    ]);
  });

  it('leave no line in the lists of the product', () => {
    removeFeatures(root, examplesOf(root));

    expect(read('src/product.modules.ts')).toBe(
      `import { UsersModule } from './modules/users/index.js';\n\nexport const PRODUCT = [UsersModule, ];\n`,
    );
    expect(read('src/product.ts')).not.toMatch(/exports/i);
    expect(read('src/product.ts')).toContain('users: UsersSettings,');
    expect(read('docker-compose.yml')).not.toContain('EXPORT_URL');
    expect(read('docker-compose.yml')).toContain('DATABASE_URL,REDIS_URL');
  });

  it('can be a selection', () => {
    removeFeatures(root, ['exports']);

    expect(left()).toContain('migrations/2-orders.ts');
    expect(read('src/product.modules.ts')).toContain('[UsersModule, OrdersModule');
  });

  it.each([
    [['orders'], /src\/modules\/exports\/index.ts imports .+: keep "orders", or remove "exports" too/],
    [['users'], /users cannot be removed: every product has them/],
    [['invoices'], /no feature "invoices". There are: exports, orders, users/],
    [[], /There are: exports/],
  ])('are rejected as a whole when others depend on them: %j', (features, message) => {
    expect(() => removeFeatures(root, features)).toThrow(message);
    expect(left()).toEqual(Object.keys(TREE));
  });

  it('are not removed while a migration changes their tables and those of others', () => {
    writeFileSync(
      join(root, 'migrations/2-orders.ts'),
      'CREATE TABLE orders (id uuid); ALTER TABLE users ADD x',
    );

    expect(() => removeFeatures(root, examplesOf(root))).toThrow(
      /migrations\/2-orders.ts is about orders, users: write a migration for each feature/,
    );
  });
});
