import { Module } from '@nestjs/common';
import { DispatchStore } from './dispatch.store.js';
import { FlowKeeper } from './flow-keeper.js';
import { FlowService } from './flow.service.js';

@Module({
  providers: [DispatchStore, FlowService, FlowKeeper],
  exports: [FlowService],
})
export class FlowModule {}
