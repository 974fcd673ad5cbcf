from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0002_downloads_and_staged_uploads')]

    initial = False

    operations = [
        ops.AddIndex(
            model_name='Shard',
            index=Index(fields=['head_id', 'representation', 'part', 'generation', 'sha256']),
        ),
    ]
