/**
 * The reference for a plain feature: Nest, Fastify and a repository of TypeORM as their documentation has them, the same check of
 * the same tokens, the same answer, and nothing else. Plain JavaScript, because Holdfast is built as well; decorators are called
 * as functions.
 */
import 'reflect-metadata';
import {
  Controller,
  Get,
  Header,
  Module,
  NotFoundException,
  ParseUUIDPipe,
  UnauthorizedException,
} from '@nestjs/common';
import { Param, Req, Res, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { getRepositoryToken, TypeOrmModule } from '@nestjs/typeorm';
import { createVerifier } from 'fast-jwt';
import { EntitySchema } from 'typeorm';

const { DATABASE_URL, AUTH_TOKEN_SECRET, PORT } = process.env;

const Address = new EntitySchema({
  name: 'Address',
  tableName: 'addresses',
  columns: {
    id: { type: 'uuid', primary: true },
    userId: { type: 'uuid', name: 'user_id' },
    recipient: { type: 'text' },
    street: { type: 'text' },
    postalCode: { type: 'text', name: 'postal_code' },
    city: { type: 'text' },
    country: { type: 'char', length: 2 },
    version: { type: Number, version: true },
    createdAt: { type: 'timestamptz', name: 'created_at', precision: 3 },
  },
});

const verify = createVerifier({
  key: String(AUTH_TOKEN_SECRET),
  algorithms: ['HS256'],
  allowedIss: 'holdfast',
  allowedAud: 'holdfast-api',
  requiredClaims: ['sub', 'role', 'sid', 'iat', 'exp'],
});

class TokenGuard {
  canActivate(context) {
    const request = context.switchToHttp().getRequest();
    try {
      request.userId = verify(String(request.headers.authorization).slice('Bearer '.length)).sub;
      return true;
    } catch {
      throw new UnauthorizedException();
    }
  }
}

class AddressesController {
  constructor(addresses) {
    this.addresses = addresses;
  }

  ready() {
    return { status: 'ok' };
  }

  async get({ userId }, id, reply) {
    const address = await this.addresses.findOneBy({ id, userId });
    if (!address) throw new NotFoundException();
    const { recipient, street, postalCode, city, country, version, createdAt } = address;
    reply.header('ETag', `"${version}"`);
    return { recipient, street, postalCode, city, country, id, createdAt: createdAt.toISOString() };
  }
}

function decorate(method, decorators, parameters = []) {
  const { prototype } = AddressesController;
  for (const [index, decorator] of parameters.entries()) decorator(prototype, method, index);
  for (const decorator of decorators) {
    decorator(prototype, method, Object.getOwnPropertyDescriptor(prototype, method));
  }
}
decorate('ready', [Get('ready')]);
decorate(
  'get',
  [Get('v1/addresses/:id'), UseGuards(TokenGuard), Header('Cache-Control', 'private, no-cache')],
  [Req(), Param('id', ParseUUIDPipe), Res({ passthrough: true })],
);
Reflect.defineMetadata(
  'self:paramtypes',
  [{ index: 0, param: getRepositoryToken(Address) }],
  AddressesController,
);
Controller()(AddressesController);

class AppModule {}
Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: DATABASE_URL,
      entities: [Address],
      installExtensions: false,
      // As many connections as Holdfast opens.
      extra: { max: 10, application_name: 'bare' },
    }),
    TypeOrmModule.forFeature([Address]),
  ],
  controllers: [AddressesController],
})(AppModule);

process.once('SIGTERM', () => process.exit(0));
const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error'] });
await app.listen(Number(PORT), '127.0.0.1');
