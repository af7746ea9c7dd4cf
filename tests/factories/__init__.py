"""Rows for tests: plain values, told apart by a number. Traits name what is unusual about a row."""

from tests.factories.analysis import AnalysisFactory, AnalysisJobFactory, CategoryFactory, ReuploadFactory, SlideTextFactory
from tests.factories.crawler import (
    AuthorFactory,
    BrowserSessionFactory,
    CrawlJobFactory,
    MetricSnapshotFactory,
    ObserveJobFactory,
    ProviderPauseFactory,
    SoundFactory,
    SourceFactory,
    SourceVideoFactory,
    VideoFactory,
    WebhookDeliveryFactory,
)
from tests.factories.downloads import (
    AssetFactory,
    AssetJobFactory,
    BatchFactory,
    DownloadJobFactory,
    DownloadRequestFactory,
    ExtractorFactory,
    StoredObjectFactory,
)
from tests.factories.jobs import PausedKindFactory
from tests.factories.people import PASSWORD, MembershipFactory, UserFactory, WorkspaceFactory
from tests.factories.ranking import BaselineFactory, RankingModelFactory, ScoreFactory, SurgeFactory
from tests.factories.upkeep import IntervalScheduleFactory, PassFactory, PeriodicTaskFactory
