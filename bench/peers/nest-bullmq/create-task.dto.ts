import { IsIn, IsInt, IsISO8601, IsObject, IsOptional, IsString, Length, Max, Min } from 'class-validator';

export class CreateTaskDto {
  @IsString()
  @Length(1, 255)
  name: string;

  @IsOptional()
  @IsString()
  @Length(1, 100)
  type?: string;

  @IsOptional()
  @IsString()
  @Length(1, 100)
  queue?: string;

  @IsOptional()
  @IsIn(['low', 'medium', 'high', 'critical'])
  priority?: string;

  @IsOptional()
  @IsObject()
  parameters?: Record<string, unknown>;

  @IsOptional()
  @IsObject()
  labels?: Record<string, string>;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100)
  max_attempts?: number;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(86_400)
  timeout_seconds?: number;

  @IsOptional()
  @IsISO8601()
  run_at?: string;

  @IsOptional()
  @IsIn(['manual', 'auto'])
  start?: string;
}

export class ListTasksDto {
  @IsOptional()
  @IsIn(['queued', 'running', 'completed', 'failed', 'scheduled'])
  status?: string;
}
