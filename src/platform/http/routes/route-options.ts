import 'reflect-metadata';
import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { FastifyContextConfig } from 'fastify';

/** Options of a route besides those that other decorators give it; Nest's `RouteConfig` would replace them. */
export function routeOptions(options: FastifyContextConfig): MethodDecorator {
  return (target, key, descriptor) => {
    const others = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, descriptor.value as object) as object;
    RouteConfig({ ...others, ...options })(target, key, descriptor);
  };
}
