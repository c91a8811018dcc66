import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { CreateTaskDto, ListTasksDto } from './create-task.dto.js';
import { TasksService } from './tasks.service.js';

@Controller('tasks')
export class TasksController {
  constructor(private readonly tasks: TasksService) {}

  @Post()
  create(@Body() body: CreateTaskDto) {
    return this.tasks.create(body);
  }

  @Get()
  list(@Query() { status }: ListTasksDto) {
    return this.tasks.list(status);
  }

  @Get(':id')
  get(@Param('id') id: string) {
    return this.tasks.get(id);
  }
}
