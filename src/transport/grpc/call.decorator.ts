import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { rpcCallOf } from './rpc-call.js';

/** The call of grpc-js itself, for what a stream needs of it. */
export const Call = createParamDecorator((_data: unknown, context: ExecutionContext) => rpcCallOf(context));
