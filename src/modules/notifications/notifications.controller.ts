import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiPage,
  ApiProblems,
  CurrentCaller,
  PageQuery,
  type Caller,
  type Page,
  Priority,
} from '../../platform/http/index.js';
import { NotificationDto } from './dto/notification.dto.js';
import { NotificationsService } from './notifications.service.js';

@ApiTags('notifications')
@ApiBearerAuth()
@Controller('v1/notifications')
export class NotificationsController {
  constructor(private readonly notifications: NotificationsService) {}

  @Get()
  @Priority('low')
  @ApiOperation({
    operationId: 'listNotifications',
    summary: 'Notifications of the caller, newest first',
  })
  @ApiPage(NotificationDto)
  @ApiProblems(401, 422)
  list(@CurrentCaller() caller: Caller, @Query() query: PageQuery): Promise<Page<NotificationDto>> {
    return this.notifications.list(caller.userId, query);
  }
}
